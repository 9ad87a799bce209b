"""The picture of a power grid in motion: frequency, what the busiest lines bear, and when things tripped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import admit
from .gridtext import busiest, name, named
from .plot import AFTER, BEFORE, FAINT, INK, TARGET, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .gridrun import GridRun

__all__ = ["picture"]

WIDTH, HEIGHT, DPI = 12.0, 8.0, 100
COLOURS = ("#d9541e", "#1d4ed8", "#2a7f62", "#9333ea", "#b7791f", "#0e7490", "#be185d", "#4d7c0f")
MARKED = 4
"""Most times of trips that are told in words, the first."""


def picture(run: GridRun, *, title: str | None, lines: int) -> Figure:
    """Draw frequency above flows, over the same time."""
    drawing = admit.extra("matplotlib.figure", "plot", "a picture")
    figure: Figure = drawing.Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, layout="constrained", facecolor="white")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 1.1])
    figure.suptitle(title or repr(run.before), fontsize=15, fontweight="bold", color=INK, parse_math=False)
    _frequency(above, run)
    _flows(below, run, busiest(run, lines))
    for axes in (above, below):
        for at in {trip.at for trip in run.trips}:
            axes.axvline(at, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
        for at in {trip.at for trip in run.overloads}:
            axes.axvline(at, color=TARGET, linewidth=0.8, alpha=0.6, zorder=1)
    _marks(above, run)
    below.set(xlabel="time (s)", xlim=(run.time[0], run.time[-1]))
    return figure


def _frequency(axes: Axes, run: GridRun) -> None:
    """Draw the mean deviation, and where most buses are: few light ones swing far, and small pieces drift."""
    plain(axes, f"Frequency, {run.before.frequency:g} Hz nominal")
    low, high = 1000 * np.quantile(run.deviation, [0.05, 0.95], axis=1)
    axes.fill_between(run.time, low, high, color=BEFORE, alpha=0.35, linewidth=0, label="nine buses of ten")
    axes.plot(run.time, 1000 * run.mean, color=AFTER, linewidth=2.0, label="mean by inertia")
    axes.set_ylabel("deviation (mHz)")
    axes.grid(color=FAINT, linewidth=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def _flows(axes: Axes, run: GridRun, chosen: list[int]) -> None:
    """Draw what some lines bear."""
    limited = bool(np.isfinite(run.before.limit).any())
    plain(axes, "Lines whose loading changes most" if limited else "Lines whose flow changes most")
    for k, colour in zip(chosen, np.resize(COLOURS, len(chosen)), strict=True):
        bears = 100 * run.loading[:, k] if limited else run.before.base * np.abs(run.flows[:, k])
        axes.plot(run.time, bears, color=colour, linewidth=1.6, label=named(run.before, k))
    if limited:
        axes.axhline(100.0, color=INK, linewidth=1.2, label="limit")
    axes.set_ylabel("flow / limit (%)" if limited else "flow (MW)")
    axes.set_ylim(bottom=0.0)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def _marks(axes: Axes, run: GridRun) -> None:
    """Say at the top of the axes what trips, once for each time."""
    when: dict[float, list[str]] = {}
    for trip in (*run.trips, *run.overloads):
        when.setdefault(trip.at, []).append(name(run.before, trip) + (" (overload)" if trip in run.overloads else ""))
    shown = sorted(when.items())[:MARKED]
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.1 * len(shown) * (high - low))
    for k, (at, names) in enumerate(shown):
        text = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        axes.annotate(
            f" {text}", (at, 0.98 - 0.08 * k), xycoords=("data", "axes fraction"), va="top", fontsize=9, color=INK,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.0},
        )  # fmt: skip
