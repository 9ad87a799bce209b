"""What a run keeps, and what it waits for: observers, each at ticks of its own that are fixed beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InvalidType, InvalidValue
from .firings import Fired
from .links import Links
from .observer import Observer, View
from .result import Series
from .run import ticks_of
from .series import Settling, size_of
from .until import Above, Below, Condition, Settled

if TYPE_CHECKING:
    from .swarm import Swarm

__all__ = ["Recorder", "asked", "observers_of"]


def observers_of(record: object) -> tuple[bool, dict[str, Observer]]:
    """Return whether the coherence of every tick is to be kept, and who else observes, by name."""
    if record is None or isinstance(record, str):
        return _is_coherence(record), {}
    if isinstance(record, Mapping):
        for name, observer in record.items():
            if not isinstance(name, str) or not isinstance(observer, Observer):
                raise InvalidType(f"record must name observers of emerge.observe, not {name!r}: {observer!r}")
        return False, dict(record)
    given = [record] if isinstance(record, Observer) else record
    if not isinstance(given, Iterable):
        raise InvalidType(f'record must be "coherence", an observer, a list or a dict of them, not {record!r}')
    keeps, found = False, dict[str, Observer]()
    for one in given:
        if isinstance(one, str):
            keeps = _is_coherence(one)
        elif not isinstance(one, Observer):
            raise InvalidType(f'record must list observers of emerge.observe or "coherence", not {one!r}')
        elif one.name in found:
            raise InvalidValue(f"record lists two observers that are called {one.name!r}: give a dict that names them")
        else:
            found[one.name] = one
    return keeps, found


def _is_coherence(record: str | None) -> bool:
    if record not in (None, "coherence"):
        raise InvalidValue(f'record must be "coherence", observers of emerge.observe or None, not {record!r}')
    return record is not None


class Recording:
    """One observer in one run."""

    def __init__(self, observer: Observer, swarm: Swarm, every: int, after: int) -> None:
        self._sums_up = observer.sums_up
        self._kept = observer._begin(swarm)
        self._every = every
        self._times: list[float] = []
        self._values: list[Any] = []
        self.due = after

    def take(self, view: View) -> None:
        """Take the sample that is due."""
        self._kept.take(view)
        self.due += self._every
        if self._sums_up:
            self._times = [*self._times[:1], view.time]
        else:
            self._times.append(view.time)
            self._values.append(self._kept.value)

    def series(self) -> Series:
        """Return what was recorded so far."""
        if isinstance(self._kept, Fired):
            return self._kept.series()
        if not self._sums_up:
            return Series(np.array(self._times), np.array(self._values))
        return Series(np.array([*self._times[:1], *self._times[-1:]]), np.array(self._kept.value))


class Recorder:
    """All observers in one run."""

    def __init__(self, swarm: Swarm, observers: Mapping[str, Observer], dt: float, usual: int) -> None:
        self._swarm = swarm
        self._ready: list[Links] = []
        self._recordings = {name: Recording(one, swarm, *_when(one, dt, usual)) for name, one in observers.items()}

    def left(self, ticks: int) -> int:
        """Return how many ticks from now on the next sample is due, at least 1."""
        return max(1, min(one.due for one in self._recordings.values()) - ticks)

    def take(self, ticks: int) -> None:
        """Take the samples that are due after so many ticks."""
        due = [one for one in self._recordings.values() if one.due == ticks]
        if due:
            view = View(self._swarm, self._ready)
            for one in due:
                one.take(view)

    def series(self) -> dict[str, Series]:
        """Return what was recorded so far, by name."""
        return {name: one.series() for name, one in self._recordings.items()}


class Awaited:
    """A condition in one run: called when it is due, it looks, and says whether it holds."""

    def __init__(self, condition: Condition, swarm: Swarm) -> None:
        self._swarm = swarm
        self._ready: list[Links] = []
        self._kept = condition.observer._begin(swarm)
        self._holds = _judge(condition)

    def __call__(self) -> bool:
        """Look, and say whether the condition holds."""
        view = View(self._swarm, self._ready)
        self._kept.take(view)
        return self._holds(view.time, size_of(self._kept.value))


def asked(until: object, swarm: Swarm, dt: float, usual: int) -> tuple[Callable[[], object] | None, int, int]:
    """Return what is called to learn whether a run is to end, every how many ticks, and after how many first."""
    if isinstance(until, Condition):
        return Awaited(until, swarm), *_when(until.observer, dt, usual)
    return partial(until, swarm) if callable(until) else None, usual, 0


def _when(observer: Observer, dt: float, usual: int) -> tuple[int, int]:
    """Return after how many ticks an observer looks again, and when it does first."""
    return (
        usual if observer.every is None else ticks_of(observer.every, dt, "every"),
        ticks_of(observer.after, dt, "after") if observer.after else 0,
    )


def _judge(condition: Condition) -> Callable[[float, Any], bool]:
    """Return what says of a time and a value whether the condition holds."""
    match condition:
        case Above(level=level):
            return lambda _, value: bool((value >= level).all())
        case Below(level=level):
            return lambda _, value: bool((value <= level).all())
        case Settled(tolerance=tolerance, window=window):
            return Settling(tolerance, window).reached
    raise InvalidType(f"a condition is made by an observer's above, below or settled, not {condition!r}")
