"""Clocks that a live loop may tick by: the system's, and one that is moved by hand, for tests.

A loop waits on a condition, so that commands wake it as well as time does; how long it waits is the clock's affair.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Protocol

from . import admit
from .errors import InvalidType

__all__ = ["Clock", "ManualClock", "SystemClock", "clock_of"]


class Clock(Protocol):
    """What a live loop asks of a clock."""

    def time(self) -> float:
        """Return the time in seconds; it never goes back."""

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait on a condition, whose lock is held, to be notified or for a time to come; None: for no time.

        It may come back early.
        """


class SystemClock:
    """The monotonic clock of the system."""

    def time(self) -> float:
        """Return the time in seconds since some moment in the past."""
        return monotonic()

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait to be notified or for a time to come."""
        condition.wait(None if until is None else min(max(0.0, until - monotonic()), admit.LONGEST))


class ManualClock:
    """A clock that stands still until it is moved: live loops under test need no sleeping.

    Parameters
    ----------
    start : float, default 0.0
        Its first time in seconds.

    Raises
    ------
    InvalidType, InvalidValue
        If `start` is no finite number.

    Notes
    -----
    Thread safety: everything from any thread; it may be given to several loops. `advance` wakes them and does not
    wait for what they do: `Live.settle` does.

    Examples
    --------
    >>> import emerge
    >>> clock = emerge.ManualClock()
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> with swarm.live(interval=0.5, clock=clock) as live:
    ...     clock.advance(2.0)
    ...     live.settle(timeout=10)
    >>> swarm.time
    2.0
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = admit.real(start, "start")
        self._lock = threading.Lock()
        self._waiting: list[threading.Condition] = []

    def __repr__(self) -> str:
        return f"ManualClock({self.time():g})"

    def time(self) -> float:
        """Return the time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock on.

        Parameters
        ----------
        seconds : float
            By how much, greater than 0.

        Raises
        ------
        InvalidType, InvalidValue
            If it is no number greater than 0.
        """
        step = admit.real(seconds, "seconds", above=0.0)
        with self._lock:
            self._now += step
            waiting = list(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait to be notified, unless a time has come.

        Parameters
        ----------
        condition : threading.Condition
            Its lock is held; `advance` notifies it.
        until : float or None
            The time; None for no time.

        Raises
        ------
        RuntimeError
            If the lock of the condition is not held.
        """
        with self._lock:
            if until is not None and self._now >= until:
                return
            self._waiting.append(condition)
        try:
            condition.wait()
        finally:
            with self._lock:
                self._waiting.remove(condition)


def clock_of(clock: object) -> Clock:
    """Return the clock that a user passed, or the system's."""
    if clock is None:
        return SystemClock()
    if not all(callable(getattr(clock, name, None)) for name in ("time", "wait")) or isinstance(clock, type):
        raise InvalidType(f"a clock has time() and wait(condition, until), as emerge.ManualClock() has, not {clock!r}")
    return clock  # type: ignore[return-value]
