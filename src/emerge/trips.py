"""What goes out of service when: a line, a generator, or the load of a bus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import admit
from .errors import InvalidType, InvalidValue

if TYPE_CHECKING:
    from .grid import PowerGrid

__all__ = ["Kind", "Trip", "by_tick"]

Kind = Literal["line", "generator", "load"]


@dataclass(frozen=True, slots=True)
class Trip:
    """One thing that goes out of service, once and for all.

    Parameters
    ----------
    at : float
        When, in s since the start of the run; at least 0.
    line, generator, load : int, optional
        What: the number of a line, of a generator, or of the bus whose load it is; one of the three.

    Raises
    ------
    InvalidType, InvalidValue
        If a value is of the wrong type or range, or not one of the three is given.

    Notes
    -----
    A value: it cannot be changed, and all threads may read it.

    Examples
    --------
    >>> import emerge
    >>> emerge.Trip(1.0, line=3)
    Trip(at=1.0, line=3, generator=None, load=None)
    """

    at: float
    line: int | None = None
    generator: int | None = None
    load: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", admit.real(self.at, "at", least=0.0))
        given = [kind for kind in ("line", "generator", "load") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise InvalidValue(
                f"a Trip is of one line, one generator or one load, not of {' and '.join(given) or 'none'}"
            )
        object.__setattr__(self, given[0], admit.count(getattr(self, given[0]), given[0], least=0))

    @property
    def kind(self) -> Kind:
        """What trips: "line", "generator" or "load"."""
        return "line" if self.line is not None else "generator" if self.generator is not None else "load"

    @property
    def number(self) -> int:
        """Which one it is."""
        number: int = getattr(self, self.kind)
        return number


def by_tick(trips: Trip | Iterable[Trip], grid: PowerGrid, ticks: int, dt: float) -> dict[int, list[Trip]]:
    """Check trips of a grid in a run, and return them by the tick before which they happen."""
    found: dict[int, list[Trip]] = {}
    seen: set[tuple[Kind, int]] = set()
    for trip in [trips] if isinstance(trips, Trip) else trips:
        if not isinstance(trip, Trip):
            raise InvalidType(f"trips must be emerge.Trip values, not {trip!r}")
        _there(trip, grid)
        if (trip.kind, trip.number) in seen:
            raise InvalidValue(f"{trip.kind} {trip.number} trips twice: once is all it can")
        seen.add((trip.kind, trip.number))
        tick = round(trip.at / dt)
        if tick >= ticks:
            raise InvalidValue(
                f"{trip.kind} {trip.number} trips at {trip.at:g} s, but the run ends at {ticks * dt:g} s"
            )
        if abs(trip.at / dt - tick) > 1e-9 * max(tick, 1):
            raise InvalidValue(
                f"trips are between ticks of dt = {dt:g}: {trip.at:.12g} s is not, {tick * dt:.12g} s is"
            )
        found.setdefault(tick, []).append(trip)
    return found


def _there(trip: Trip, grid: PowerGrid) -> None:
    """Refuse what the grid does not have, or not in service."""
    working = {"line": grid.lines_on, "generator": grid.generators_on, "load": grid.loads_on}[trip.kind]
    if trip.number >= len(working):
        raise InvalidValue(f"there is no {trip.kind} {trip.number}: the grid has {len(working)}, counted from 0")
    if not working[trip.number]:
        raise InvalidValue(f"{trip.kind} {trip.number} is out of service already")
    if trip.kind == "load" and grid.load[trip.number] == 0:
        raise InvalidValue(f"bus {grid.labels[trip.number]} takes nothing, so it has no load that could trip")
