"""A power grid made of a MATPOWER case: what is in service, per unit, parallel lines as one, from the slack outwards.

Source: MATPOWER User's Manual, appendix B. Columns here count from 0.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from . import admit, files
from .errors import GraphError, GraphFileError, InvalidValue
from .machines import Machines
from .matpower import BRANCH_X, BUS_LOAD, GEN_POWER, Case

if TYPE_CHECKING:
    from .grid import PowerGrid

__all__ = ["made"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Grid = TypeVar("Grid", bound="PowerGrid")

BUS_TYPE, BUS_SHUNT, BUS_VOLTAGE = 1, 4, 7
SLACK, ISOLATED = 3, 4
GEN_BASE, GEN_MOST = 6, 8
BRANCH_RATE = 5


def made(
    grid: type[Grid],
    path: str | os.PathLike[str],
    *,
    frequency: float,
    machines: Machines | None,
    voltages: object,
    balance: object,
) -> Grid:
    """Read a case and make a grid of it."""
    _choose("voltages", voltages, ("nominal", "case"))
    _choose("balance", balance, ("spread", "slack"))
    case = files.case(path)
    there, slack = case.bus.column(BUS_TYPE) != ISOLATED, _slack(case)
    running = there[case.at]
    lines, capacity, limit, notes = _lines(case, there, voltages == "case")
    order = _outwards(lines, slack, there)
    number = _places(order, case.n)
    generation = case.generation()[running] / case.base
    load = case.bus.column(BUS_LOAD)[order] / case.base
    missing = float(load.sum() - generation.sum())
    names = list(case.number)
    told: dict[str, Any] = {} if machines is None else {"machines": machines}
    try:
        return grid(
            number[lines],
            capacity,
            load,
            generator_bus=number[case.at[running]],
            generation=generation,
            rating=_ratings(case)[running] / case.base,
            limit=limit,
            slack=0,
            labels=[str(names[k]) for k in order],
            balance=missing / len(load) if balance == "spread" else missing * (np.arange(len(load)) == 0),
            base=case.base,
            frequency=frequency,
            notes=(*notes, *_notes(case, there, missing, voltages, balance)),
            **told,
        )
    except GraphError as error:
        raise GraphFileError(f"{case.path}: {error}") from None


def _choose(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidValue(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def _slack(case: Case) -> int:
    """Return the row of the first bus of type 3."""
    slacks = np.flatnonzero(case.bus.column(BUS_TYPE) == SLACK)
    if slacks.size == 0:
        raise GraphFileError(f"{case.path}: the grid has no slack: one bus must have type 3, and its angle is 0")
    return int(slacks[0])


def _outwards(lines: Ints, slack: int, there: Mask) -> Ints:
    """Return the rows of buses from the slack outwards: neighbours stand near each other in memory then."""
    sparse = admit.extra("scipy.sparse", "graphs", "a power grid")
    graph = admit.extra("scipy.sparse.csgraph", "graphs", "a power grid")
    joined = sparse.coo_array((np.ones(len(lines)), tuple(lines.T)), shape=(len(there), len(there)))
    reached = graph.breadth_first_order(joined.tocsr(), slack, directed=False, return_predecessors=False)
    apart = there.copy()
    apart[reached] = False
    return np.concatenate([reached, np.flatnonzero(apart)]).astype(np.int64)


def _places(order: Ints, n: int) -> Ints:
    """Return the place of each row in the order."""
    place = np.full(n, -1)
    place[order] = np.arange(len(order))
    return place


def _ratings(case: Case) -> Floats:
    """Return ratings of running generators in MVA: the largest power each may have, or has, or else mBase."""
    now = np.abs(case.gen.column(GEN_POWER)[case.running])
    columns = len(case.gen.rows[0]) if case.gen.rows else 0
    most = case.gen.column(GEN_MOST)[case.running] if columns > GEN_MOST else np.zeros(len(now))
    rating = np.maximum(now, np.where(np.isfinite(most), most, 0.0))
    return np.where(rating > 0, rating, np.abs(case.gen.column(GEN_BASE)[case.running]))


def _lines(case: Case, there: Mask, voltages: bool) -> tuple[Ints, Floats, Floats, list[str]]:
    """Return pairs of buses, capacities and limits, and what is to be said of them; parallel branches are added up."""
    kept = there[case.one] & there[case.other] & (case.one != case.other)
    one, other = np.minimum(case.one, case.other)[kept], np.maximum(case.one, case.other)[kept]
    capacity = case.weight[kept] * _voltages(case, voltages)[one] * _voltages(case, voltages)[other]
    limit = case.branch.column(BRANCH_RATE)[case.closed][kept] / case.base
    if not (limit >= 0).all():
        raise GraphFileError(
            f"{case.path}: the limit rateA of a branch is {limit[~(limit >= 0)][0] * case.base:g}, not at least 0"
        )
    keys, line = np.unique(one * case.n + other, return_inverse=True)
    together: Any = np.bincount(line, capacity, len(keys))
    bears: Any = np.bincount(line, np.where(limit > 0, limit, np.inf), len(keys))
    negative = int((case.branch.column(BRANCH_X)[case.closed][kept] < 0).sum())
    told = [
        (negative, "of negative reactance (series compensation) taken by its size"),
        (len(line) - len(keys), "parallel to another, which it was added to"),
        (int((~case.closed).sum()), "left out, being out of service"),
    ]
    notes = [f"{count} branch{' was' if count == 1 else 'es were'} {what}" for count, what in told if count]
    return np.column_stack([keys // case.n, keys % case.n]), together, bears, notes


def _voltages(case: Case, voltages: bool) -> Floats:
    """Return voltages of the buses per unit."""
    if not voltages:
        return np.ones(case.n)
    if len(case.bus.rows[0]) <= BUS_VOLTAGE:
        raise GraphFileError(
            f"{case.path}: mpc.bus has no voltages, in column {BUS_VOLTAGE + 1}: use voltages='nominal'"
        )
    found = case.bus.column(BUS_VOLTAGE)
    if not ((found > 0) & np.isfinite(found)).all():
        raise GraphFileError(f"{case.path}: a voltage is not greater than 0: use voltages='nominal'")
    return found


def _notes(case: Case, there: Mask, missing: float, voltages: object, balance: object) -> list[str]:
    notes = ["branches are taken as lossless: resistance, charging, taps and phase shifts are ignored"]
    notes.append(f"voltages are {'those of the case' if voltages == 'case' else 'nominal'}")
    by = "all buses alike" if balance == "spread" else "the slack"
    way = "drawn" if missing < 0 else "fed in"
    notes.append(f"{abs(missing) * case.base:.6g} MW that generation and load differ by were {way} by {by}")
    shunts = float(case.bus.column(BUS_SHUNT)[there].sum()) if len(case.bus.rows[0]) > BUS_SHUNT else 0.0
    if shunts:
        notes.append(f"{shunts:.6g} MW that shunts draw at nominal voltage were left out")
    idle = int((~case.running).sum()) + int((~there[case.at]).sum())
    if idle:
        notes.append(
            f"{idle} generator{' was' if idle == 1 else 's were'} left out, being out of service or at an isolated bus"
        )
    gone = int((~there).sum())
    if gone:
        notes.append(f"{gone} isolated bus{' was' if gone == 1 else 'es were'} left out")
    slacks = int((case.bus.column(BUS_TYPE) == SLACK).sum())
    if slacks > 1:
        notes.append(f"of {slacks} buses of type 3 the first is the slack")
    return notes
