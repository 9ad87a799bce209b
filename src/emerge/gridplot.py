"""The picture of a power grid in motion: frequency, what the busiest lines bear, and when things tripped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import admit
from .gridtext import busiest, name, named
from .plot import AFTER, BEFORE, FAINT, INK, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .gridrun import GridRun

__all__ = ["picture"]

WIDTH, HEIGHT, DPI = 12.0, 8.0, 100
GREY = "#9aa3ad"
COLOURS = ("#d9541e", "#1d4ed8", "#2a7f62", "#9333ea", "#b7791f", "#0e7490", "#be185d", "#4d7c0f")
MARKED = 4
"""Most times of trips that are told in words, the first."""

DRAWN, SHARE = 3, 0.05
"""Most islands beside the largest whose mean is drawn, and the least share of buses that they must have."""

LOW, HIGH = 130.0, 300.0
"""The axis of flows by limits ends at this many per cent at least and at most: beyond it, lines bear far too much."""


def picture(run: GridRun, *, title: str | None, lines: int) -> Figure:
    """Draw frequency above flows, over the same time."""
    drawing = admit.extra("matplotlib.figure", "plot", "a picture")
    figure: Figure = drawing.Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.1])
    figure.suptitle(title or repr(run.before), fontsize=15, fontweight="bold", color=INK, parse_math=False)
    _frequency(above, run)
    _flows(below, run, busiest(run, lines))
    for axes in (above, below):
        for at in sorted({trip.at for trip in run.trips}):
            axes.axvline(at, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        times = sorted({trip.at for trip in run.overloads})
        for at, label in zip(times, ["lines trip by overload", *[None] * len(times)], strict=False):
            axes.axvline(at, color=GREY, linewidth=0.5, zorder=0.5, label=label)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
    _marks(above, run)
    below.set(xlabel="time (s)", xlim=(run.time[0], run.time[-1]))
    return figure


def _frequency(axes: Axes, run: GridRun) -> None:
    """Draw the means of large islands, and where most buses are: few light ones swing far, and small pieces drift."""
    plain(axes, f"Frequency, {run.before.frequency:g} Hz nominal")
    first, *others = run.islands
    drawn = [island for island in others if len(island.buses) >= SHARE * len(run.before)][:DRAWN]
    low, high = np.quantile(run.deviation, [0.05, 0.95], axis=1)
    widest = max(np.abs(values).max() for values in (low, high, *(island.mean for island in (first, *drawn))))
    unit, scale = ("Hz", 1.0) if widest >= 1 else ("mHz", 1000.0)
    axes.fill_between(
        run.time, scale * low, scale * high, color=BEFORE, alpha=0.35, linewidth=0,
        label="nine buses of ten\n(5 % are above, 5 % below)",
    )  # fmt: skip
    total = len(run.before)
    whole = f"mean of the largest island,\n{len(first.buses)} of {total} buses" if others else "mean by inertia"
    axes.plot(run.time, scale * first.mean, color=AFTER, linewidth=2.0, label=whole, zorder=3)
    for island, colour in zip(drawn, COLOURS[1:], strict=False):
        label = f"mean of another island,\n{len(island.buses)} of {total} buses"
        axes.plot(run.time, scale * island.mean, color=colour, linewidth=1.2, label=label)
    axes.set_ylabel(f"deviation ({unit})")
    axes.grid(axis="y", color=FAINT, linewidth=0.8)


def _flows(axes: Axes, run: GridRun, chosen: list[int]) -> None:
    """Draw what some lines bear."""
    limited = bool(np.isfinite(run.before.limit).any())
    plain(axes, _chosen(run, limited))
    bears = 100 * run.loading[:, chosen] if limited else run.before.base * np.abs(run.flows[:, chosen])
    for k, values, colour in zip(chosen, bears.T, np.resize(COLOURS, len(chosen)), strict=True):
        axes.plot(run.time, values, color=colour, linewidth=1.6, label=named(run.before, k))
    if limited:
        axes.axhline(100.0, color=INK, linewidth=1.2, label="limit")
    axes.set_ylabel("flow / limit (%)" if limited else "flow (MW)")
    top = 1.05 * float(bears.max(initial=1e-3))
    axes.set_ylim(0.0, min(max(top, LOW), HIGH) if limited else top)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)


def _chosen(run: GridRun, limited: bool) -> str:
    """Say which lines are drawn."""
    most = f"whose {'loading' if limited else 'flow'} changed most by the end"
    return f"Lines that overload trips first, and those {most}" if run.overloads else f"Lines {most}"


def _marks(axes: Axes, run: GridRun) -> None:
    """Say at the top of the axes what was told to trip, once for each time."""
    when: dict[float, list[str]] = {}
    for trip in run.trips:
        when.setdefault(trip.at, []).append(name(run.before, trip))
    shown = sorted(when.items())[:MARKED]
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.1 * len(shown) * (high - low))
    for k, (at, names) in enumerate(shown):
        text = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        axes.annotate(
            f" {text}", (at, 0.98 - 0.08 * k), xycoords=("data", "axes fraction"), va="top", fontsize=9, color=INK,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.0},
        )  # fmt: skip
