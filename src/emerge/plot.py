"""The picture of a run: coherence over time, phases on the circle before and after, and how they spread.

Figures are made as objects, without pyplot and its state, so that drawing one changes nothing elsewhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue
from .result import RunResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["picture", "plain", "save"]

Floats = npt.NDArray[np.float64]

WIDTH, HEIGHT, DPI = 14.0, 9.0, 100
BEFORE, AFTER, TARGET, INK, FAINT = "#7a8ba8", "#d9541e", "#2a7f62", "#22282f", "#cfd5dd"
DOTS = 2000
"""Most agents shown as dots on a circle; of more, a sample."""

BIN = 5.0
"""Width of a bar in degrees; the middle one lies around the mean phase."""


def picture(
    result: RunResult, before: npt.ArrayLike, after: npt.ArrayLike, *, title: str, target: float | None = None
) -> Figure:
    """Draw coherence over time, and the phases before and after a run.

    Parameters
    ----------
    result : RunResult
        Of a run with ``record="coherence"``.
    before, after : array_like of float, shape (n,)
        Phases in rad at the start and at the end.
    title : str
        What stands above it all; taken as plain text.
    target : float, optional
        Coherence in (0, 1] to draw a line at.

    Returns
    -------
    matplotlib.figure.Figure
        A new figure of 1400 by 900 pixels that belongs to no window.

    Raises
    ------
    InvalidValue
        If the run recorded no coherence, or phases are not two arrays of the same length.
    MissingExtra
        If matplotlib is not installed.

    Notes
    -----
    O(agents + ticks). Of more than 2000 agents the circles show a sample, always the same; all are counted in
    mean fields and shares. Not for two threads at once.

    Examples
    --------
    >>> import emerge
    >>> from emerge.plot import picture
    >>> swarm = emerge.Swarm(emerge.Topology.complete(50), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> before = swarm.phase
    >>> result = swarm.run(10.0, record="coherence")
    >>> figure = picture(result, before, swarm.phase, title="fifty agents")
    >>> len(figure.axes)
    4
    """
    drawing = admit.extra("matplotlib.figure", "plot", "a picture")
    layout = admit.extra("matplotlib.layout_engine", "plot", "a picture")
    if result.history is None or not len(result.history):
        raise InvalidValue('a picture needs the coherence of every tick: run with record="coherence"')
    n = np.size(before)
    if n < 1:
        raise InvalidValue("a picture needs the phases of at least one agent")
    first, last = admit.vector(before, "before", n), admit.vector(after, "after", n)
    engine = layout.ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12, wspace=0.03, hspace=0.04)
    figure: Figure = drawing.Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout=engine, facecolor="white")
    rows = figure.add_gridspec(2, 1, height_ratios=[1.0, 1.15])
    lower = rows[1].subgridspec(1, 3, width_ratios=[1.0, 1.0, 1.25])
    figure.suptitle(title, fontsize=16, fontweight="bold", color=INK, parse_math=False)
    _coherence(figure.add_subplot(rows[0]), result.history.time, result.history.coherence, target)
    chosen = np.random.default_rng(0).permutation(n)[:DOTS]
    _circle(figure.add_subplot(lower[0]), first, chosen, "before", BEFORE)
    _circle(figure.add_subplot(lower[1]), last, chosen, "after", AFTER)
    _spread(figure.add_subplot(lower[2]), first, last)
    return figure


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure of `picture`.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    path : path-like
        File to write; replaced if it exists. Its ending tells the format, such as .png, .pdf or .svg; none is PNG.

    Raises
    ------
    InvalidValue
        If no picture can be written in the format of its ending.
    OSError
        If the file cannot be written.
    """
    kind = os.path.splitext(os.fspath(path))[1][1:].lower() or "png"
    kinds = sorted(figure.canvas.get_supported_filetypes())
    if kind not in kinds:
        raise InvalidValue(f"a picture cannot be written as .{kind}: its file may end in .{', .'.join(kinds)}")
    figure.savefig(os.fspath(path), format=kind, dpi=DPI, bbox_inches=None)


def _coherence(axes: Axes, time: Floats, coherence: Floats, target: float | None) -> None:
    """Draw R over time."""
    plain(axes, "Coherence over time")
    axes.set(xlabel="time (units of time)", ylabel="coherence R", ylim=(0.0, 1.03))
    if target is not None:
        axes.axhline(target, color=TARGET, linewidth=1.4, linestyle=(0, (5, 3)), label=f"target R = {target:g}")
    axes.plot(time, coherence, color=AFTER, linewidth=2.2, solid_capstyle="round", label="R", zorder=3)
    if len(time):
        axes.plot(time[0], coherence[0], "o", color=BEFORE, markersize=8, zorder=4, clip_on=False)
        axes.plot(time[-1], coherence[-1], "o", color=AFTER, markersize=8, zorder=4, clip_on=False)
        span = time[-1] - time[0] or 1.0
        axes.set_xlim(time[0], time[-1] if time[-1] > time[0] else time[0] + span)
    axes.grid(color=FAINT, linewidth=0.8)
    if target is not None:
        axes.legend(loc="lower right", frameon=True, framealpha=0.95, edgecolor=FAINT)


def _circle(axes: Axes, phase: Floats, chosen: npt.NDArray[np.int64], when: str, colour: str) -> None:
    """Draw agents on the unit circle, and their mean field as an arrow from its centre."""
    field = complex(np.exp(1j * phase).mean())
    length = abs(field)
    plain(axes, f"Phases {when}: R = {length:.3f}")
    around = np.linspace(0.0, 2 * np.pi, 361)
    axes.plot(np.cos(around), np.sin(around), color=FAINT, linewidth=1.2, zorder=1)
    few = len(chosen) <= 100
    radius = 1.0 if few else 1.0 + np.random.default_rng(1).uniform(-0.09, 0.09, len(chosen))
    axes.scatter(
        radius * np.cos(phase[chosen]), radius * np.sin(phase[chosen]),
        s=70 if few else 9, color=colour, alpha=0.75 if few else 0.4, linewidths=0, zorder=2,
    )  # fmt: skip
    axes.arrow(
        0.0, 0.0, field.real, field.imag, length_includes_head=True, width=0.018, color=INK, linewidth=0, zorder=3,
        head_width=min(0.1, 0.5 * length), head_length=min(0.15, 0.8 * length),
    )  # fmt: skip
    axes.plot(0, 0, "o", color=INK, markersize=4, zorder=3)
    for angle, text in ((0, "0°"), (90, "90°"), (180, "180°"), (270, "270°")):
        where = 1.28 * np.exp(1j * np.radians(angle))
        axes.text(where.real, where.imag, text, ha="center", va="center", color=INK, fontsize=10)
    sample = "" if len(chosen) == len(phase) else f", {len(chosen):,} of {len(phase):,} agents shown"
    axes.set(aspect="equal", xlim=(-1.45, 1.45), ylim=(-1.4, 1.4), xticks=[], yticks=[])
    axes.set_xlabel(f"arrow: mean field{sample}")
    for side in axes.spines.values():
        side.set_visible(False)


def _spread(axes: Axes, before: Floats, after: Floats) -> None:
    """Draw how phases spread around their mean."""
    plain(axes, "Phases around their mean")
    edges = np.arange(-180.0 - BIN / 2, 180.0 + BIN, BIN)
    for phase, when, colour, alpha in ((before, "before", BEFORE, 0.55), (after, "after", AFTER, 0.6)):
        mean = np.angle(np.exp(1j * phase).mean())
        apart = np.degrees(np.angle(np.exp(1j * (phase - mean))))
        share = np.histogram(apart, edges)[0] * (100.0 / len(phase))
        share[0] = share[-1] = share[0] + share[-1]  # opposite the mean: one bar, half of it on either side
        axes.stairs(share, edges, fill=True, color=colour, alpha=alpha, label=when)
        axes.stairs(share, edges, color=colour, linewidth=1.4)
    axes.set(xlabel="phase minus mean phase (°)", ylabel=f"agents per {BIN:g}° (%)", xlim=(-180, 180))
    axes.set_ylim(bottom=0.0)
    axes.set_xticks(range(-180, 181, 90))
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.legend(loc="upper right", frameon=True, framealpha=0.95, edgecolor=FAINT)


def plain(axes: Axes, title: str) -> None:
    """Give axes their title and the looks that all share."""
    axes.set_title(title, fontsize=13, color=INK, loc="left", pad=10)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=10)
    axes.xaxis.label.set(color=INK, fontsize=11)
    axes.yaxis.label.set(color=INK, fontsize=11)
    for name, side in axes.spines.items():
        side.set_color(FAINT)
        side.set_visible(name in ("left", "bottom"))
