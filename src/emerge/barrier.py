"""Python threads that meet: the barrier at which the engine's own workers meet, for users."""

from __future__ import annotations

import sys
import threading

from . import _engine, admit, team
from .errors import BrokenBarrier

__all__ = ["PARTIES_MAX", "PhaseBarrier"]

PARTIES_MAX = 2**20
"""Most parties that can be asked for."""


class PhaseBarrier:
    """A place where a fixed number of threads wait for each other, again and again.

    The machine that joins the engine's workers after each stage of a tick, used as `threading.Barrier` is. When
    as many threads as there are parties have called `wait`, all go on, and the barrier is in its next phase. It
    can be reused without bound.

    Parameters
    ----------
    parties : int
        How many threads meet, from 1 to 2**20.
    timeout : float, optional
        How long a `wait` may last that names no time of its own, in s, greater than 0. By default for ever.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    Thread safety: everything, from any threads, with or without a GIL; more threads than parties may come, any
    `parties` of them meet. A wait releases the GIL.

    Memory order: arriving acquires and releases, opening releases, going on acquires. What any thread of a phase
    did before `wait` is seen by all of them after it.

    All or none: of a phase, either all threads go on or all get `BrokenBarrier`, never some. A barrier breaks
    when a waiting thread runs out of time or is interrupted, or somebody calls `abort` or `reset`.

    Without a GIL a thread spins for some microseconds before it sleeps if the parties fit the cores that this
    process may use; if they do not, or if there is a GIL, which lets them come only one by one, it sleeps at once.
    On systems other than Linux it yields instead of sleeping.

    There is no action to be run by the last thread: whoever gets index ``parties - 1`` may do it, if
    all meet once more afterwards.

    A barrier is not shared with other processes, and not for use in a child forked while threads waited.

    Examples
    --------
    >>> import threading, emerge
    >>> barrier = emerge.PhaseBarrier(3, timeout=60.0)
    >>> halves, sums = [0, 0, 0], [0, 0, 0]
    >>> def work(rank):
    ...     halves[rank] = 10**rank
    ...     barrier.wait()
    ...     sums[rank] = sum(halves)  # everybody's half is there
    >>> threads = [threading.Thread(target=work, args=(rank,)) for rank in range(3)]
    >>> for thread in threads:
    ...     thread.start()
    >>> for thread in threads:
    ...     thread.join()
    >>> sums
    [111, 111, 111]
    """

    __slots__ = ("_meeting", "_parties", "_resetting", "_timeout")

    def __init__(self, parties: int, *, timeout: float | None = None) -> None:
        self._parties = admit.count(parties, "parties", most=PARTIES_MAX)
        self._timeout = _seconds(timeout)
        self._resetting = threading.Lock()
        self._meeting = self._new()

    def __repr__(self) -> str:
        state = "broken" if self.broken else f"{self.n_waiting} waiting"
        return f"PhaseBarrier({self._parties} parties, {state})"

    @property
    def parties(self) -> int:
        """How many threads meet."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many threads wait at this moment for others to come; 0 if the barrier is broken."""
        return self._meeting.waiting

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken: every `wait` raises `BrokenBarrier` until `reset`."""
        return self._meeting.broken

    def wait(self, timeout: float | None = None) -> int:
        """Wait until as many threads as there are parties have come.

        Parameters
        ----------
        timeout : float, optional
            How long to wait at most, in s, greater than 0. By default the barrier's own timeout.

        Returns
        -------
        int
            In which place this thread came, from 0 to ``parties - 1``, different for each thread of a phase.

        Raises
        ------
        BrokenBarrier
            If the barrier is broken, or breaks before all have come: also because this thread's time is over.
        InvalidType, InvalidValue
            If `timeout` is no number greater than 0; the thread has not come then.

        Notes
        -----
        Signals are handled while waiting, in the main thread, within 0.05 s. If a handler raises, as that of Ctrl-C
        does, this thread leaves, and the barrier breaks, unless all had come by then.
        """
        seconds = self._timeout if timeout is None else _seconds(timeout)
        place = self._meeting.wait(seconds)
        if place >= 0:
            return place
        if place == _engine.OUT_OF_TIME:
            raise BrokenBarrier(
                f"not all {self._parties} parties came within {seconds:g} s, and so the barrier is broken for all:"
                " call reset() to use it again"
            )
        raise BrokenBarrier(
            f"the barrier of {self._parties} parties is broken: a thread ran out of time or was interrupted, or abort()"
            " or reset() was called; call reset() to use it again"
        )

    def abort(self) -> None:
        """Break the barrier: all who wait, and all who come before a `reset`, get `BrokenBarrier`."""
        self._meeting.abort()

    def reset(self) -> None:
        """Begin anew, with nobody waiting and nothing broken; all who wait at this moment get `BrokenBarrier`."""
        with self._resetting:
            before, self._meeting = self._meeting, self._new()
            before.abort()

    def _new(self) -> _engine.Meeting:
        """Make what threads meet at until it breaks; whoever still waits at an old one keeps it alive."""
        return _engine.Meeting(self._parties, 1 if _gil() else team.cores())


def _gil() -> bool:
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def _seconds(timeout: float | None) -> float:
    """Check a timeout; none is negative for the engine."""
    limit = admit.seconds(timeout, "timeout")
    return -1.0 if limit is None else limit
