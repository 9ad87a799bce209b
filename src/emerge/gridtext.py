"""What a run of a power grid tells in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .grid import PowerGrid
    from .gridrun import GridRun
    from .trips import Trip

__all__ = ["name", "named", "told"]

SHOWN = 5
"""How many of a kind are told one by one."""


def named(grid: PowerGrid, line: int) -> str:
    """Return a line by its buses."""
    return "–".join(grid.labels[bus] for bus in grid.lines[line].tolist())


def name(grid: PowerGrid, trip: Trip) -> str:
    """Return what trips by its buses."""
    if trip.kind == "line":
        return f"line {named(grid, trip.number)}"
    bus = trip.number if trip.kind == "load" else int(grid.generator_bus[trip.number])
    power = (grid.load if trip.kind == "load" else grid.generation)[trip.number] * grid.base
    return f"{trip.kind} at bus {grid.labels[bus]} ({power:.4g} MW)"


def told(run: GridRun) -> str:
    """Return a table of what happened."""
    grid = run.before
    rows = [("time", f"{run.time[-1]:g} s")]
    rows += [("trip", f"{name(grid, trip)} at {trip.at:g} s") for trip in run.trips[:SHOWN]]
    rows += _more("trips", len(run.trips))
    rows += [
        ("nadir", f"{1000 * run.nadir:.4g} mHz"),
        ("at the end", f"{1000 * run.mean[-1]:.4g} mHz"),
        ("steepest", f"{1000 * run.steepest:.4g} mHz/s"),
        ("steepest at a bus", f"{1000 * run.rates.max():.4g} mHz/s, bus {grid.labels[int(run.rates.argmax())]}"),
    ]
    worst = run.loading.max(axis=0)
    rows += [("beyond its limit", f"line {named(grid, k)}, {100 * worst[k]:.4g} %") for k in run.beyond[:SHOWN].tolist()]
    rows += _more("lines beyond", len(run.beyond))
    rows += [("overload", f"{name(grid, trip)} at {trip.at:g} s") for trip in run.overloads[:SHOWN]]
    rows += _more("overloads", len(run.overloads), f", in {len(run.stages)} stages")
    if len(run.islands) > 1:
        rows += [
            (
                "island",
                f"{len(island.buses)} bus{'es' * (len(island.buses) != 1)}, {island.imbalance:+.4g} MW,"
                f" {1000 * island.deviation:+.4g} mHz",
            )
            for island in run.islands[:SHOWN]
        ]
        rows += _more("islands", len(run.islands))
    wide = max(len(what) for what, _ in rows)
    return "\n".join(f"{what:{wide}}  {value}" for what, value in rows)


def _more(what: str, count: int, beside: str = "") -> list[tuple[str, str]]:
    return [(what, f"{count} in all{beside}")] if count > SHOWN else []


def busiest(run: GridRun, count: int) -> list[int]:
    """Return lines to look at: those whose loading changes most, or whose flow does if none has a limit."""
    shown = run.loading if np.isfinite(run.before.limit).any() else np.abs(run.flows)
    change = np.ptp(shown, axis=0)
    return np.argsort(-change, kind="stable")[:count].tolist()
