"""Nudges from many threads, collected and applied once for each tick."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Literal, NoReturn, get_args

import numpy.typing as npt

from . import _engine, admit
from .errors import Closed, InvalidType, InvalidValue
from .swarm import Swarm

__all__ = ["MAXSIZE_MAX", "Batcher", "Overflow"]

MAXSIZE_MAX = 2**40
"""Most room that can be asked for."""

BYTES_OF_A_NUDGE = 32
"""What a place in the ring takes."""

Overflow = Literal["wait", "drop"]
"""What a nudge does that finds the batcher full."""


class Batcher:
    """A bounded buffer of nudges: many threads fill it, each tick of the swarm empties it.

    `nudge` puts agents and angles into a ring and returns; nothing of the swarm is touched. At the end of each tick
    the worker that is the last to arrive moves what is there into the inboxes of the agents, so that with the end of
    the next tick it is in their phases. Use it as a context manager: leaving the block closes it, and what it holds
    then is applied.

    Parameters
    ----------
    swarm : Swarm
        Whose agents are nudged. A swarm may have any number of batchers.
    maxsize : int, default 65536
        How many nudges may wait, from 1 to 2**40; rounded up to a power of two, at least 2. 32 bytes each.
    overflow : {"wait", "drop"}, default "wait"
        What happens to a nudge that finds the batcher full: it waits for room, or is dropped and counted.
    timeout : float, optional
        How long a nudge waits for room, in s, at least 0; None means until it is closed. By default 1.0. Not used
        where nudges are dropped.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.
    TooLarge
        If there is no memory for the buffer, or for the swarm's inbox, 8 bytes an agent.

    Notes
    -----
    When a nudge is applied: what is queued before a tick ends is in the phases at the end of the next one; what is
    queued while the swarm is at rest is in them before its next tick begins, as if `Swarm.nudge` had been called. In
    one case it is later: if, at that moment, the system keeps another thread waiting in the middle of queueing a
    nudge that comes before it, then ticks do not wait for that thread, and both are applied when it has gone on.

    Nothing is lost: a nudge is applied, or the call says that it was not, by `Full`, `Closed` or the number it
    returns. Nudges that wait count as nudges do: `Swarm.phase`, `Swarm.save`, pickling and copying take them into
    account, and assigning `Swarm.phase` drops them, as they were meant for the phases before. A copy of a swarm has
    what waited, and no batcher of its own.

    Thread safety: everything, from any threads, with or without a GIL, also while the swarm runs. Putting is one
    compare-and-swap; no lock is taken. Nudges of one thread are applied in their order. Making and closing a batcher
    wait for the current batch of ticks, about 50 ms at most while another thread runs the swarm. One that is let go
    of without being closed lets nothing in any more, and the next run applies what it held.

    Determinism: within a tick nudges give the same bits in any order. Which tick takes a nudge that comes while the
    swarm runs hangs on time.

    Cost: O(1) a nudge. A tick moves what waits with one worker, some 10 ns for each nudge, while the others wait,
    and never more than `maxsize`: a smaller one bounds how long a tick may take. Steady state allocates nothing. For
    a few nudges, or nudges of many agents in one call, `Swarm.nudge` is as fast and needs no room.

    Whoever empties it must not wait for room in it: in callbacks of the run use ``overflow="drop"``, or `Swarm.nudge`.

    A batcher is not shared with other processes. In a forked child it can be used: what had been queued by then is
    there, in parent and child, but not nudges that other threads were just about to queue.

    Examples
    --------
    >>> import threading, emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=0.0), phase=0.0)
    >>> with emerge.Batcher(swarm, maxsize=1024) as batcher:
    ...     def work():
    ...         for _ in range(100):
    ...             batcher.nudge(3, 2**-10)
    ...     threads = [threading.Thread(target=work) for _ in range(4)]
    ...     for thread in threads:
    ...         thread.start()
    ...     for thread in threads:
    ...         thread.join()
    ...     swarm.step()
    >>> round(float(swarm.phase[3]), 12), len(batcher)  # how many wait
    (0.390625, 0)
    >>> batcher.nudge(3, 0.1)
    Traceback (most recent call last):
    emerge.errors.Closed: the batcher is closed, and the nudge was not queued: make another batcher, or call swarm.nudge
    """

    __slots__ = ("__weakref__", "_engine", "_n", "_overflow", "_ring")

    def __init__(
        self,
        swarm: Swarm,
        *,
        maxsize: int = 65536,
        overflow: Overflow = "wait",
        timeout: float | None = 1.0,
    ) -> None:
        if not isinstance(swarm, Swarm):
            raise InvalidType(f"swarm must be an emerge.Swarm, not {swarm!r}")
        size = admit.count(maxsize, "maxsize", most=MAXSIZE_MAX)
        if overflow not in get_args(Overflow):
            raise InvalidValue(f'overflow must be "wait" or "drop", not {overflow!r}')
        seconds = -1.0 if timeout is None else min(admit.real(timeout, "timeout", least=0.0), admit.LONGEST)
        admit.memory(BYTES_OF_A_NUDGE * 2 ** (size - 1).bit_length(), f"a batcher of {size} nudges")
        self._n = len(swarm)
        self._overflow = overflow
        self._engine = swarm._engine
        self._ring = _engine.Ring(size, overflow == "drop", seconds)
        self._engine.attach(self._ring)

    def __len__(self) -> int:
        return self._ring.fill

    def __bool__(self) -> bool:
        return True  # also if nothing waits

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{len(self)} waiting"
        return f"Batcher({self.maxsize} nudges, overflow={self._overflow!r}, {state})"

    def __enter__(self) -> Batcher:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        """Close without waiting for anybody: the engine lets go of the ring when it has emptied it."""
        if hasattr(self, "_ring"):
            self._ring.close()

    def __reduce__(self) -> NoReturn:
        raise InvalidType("a batcher belongs to one swarm in one process: make another one for the copy")

    @property
    def maxsize(self) -> int:
        """How many nudges may wait: what was asked for, rounded up to a power of two."""
        return self._ring.size

    @property
    def dropped(self) -> int:
        """How many nudges found it full and were dropped; always 0 where they wait."""
        return self._ring.dropped

    @property
    def waited(self) -> int:
        """How many calls of `nudge` found it full and waited."""
        return self._ring.waited

    @property
    def retries(self) -> int:
        """How many times a thread tried to queue or take a nudge by compare-and-swap and another came first."""
        return self._ring.retries

    @property
    def closed(self) -> bool:
        """Whether it is closed: `nudge` and `flush` raise `Closed`."""
        return self._ring.closed

    def nudge(self, agents: int | npt.ArrayLike, angle: float | npt.ArrayLike) -> int:
        """Queue a turn of agents by an angle.

        Parameters
        ----------
        agents : int or array_like of int, shape (k,)
            Numbers of agents, from 0 to n - 1; one that stands there twice is turned twice.
        angle : float or array_like of shape (k,)
            Angle in rad, finite, one for all or one for each.

        Returns
        -------
        int
            How many nudges were queued: k, or fewer where some found the batcher full and were dropped.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nothing was queued then.
        Full
            If a nudge found no room for as long as `timeout`. Those before it were queued and will be applied: the
            error's `queued` tells how many, the first of the arguments.
        Closed
            If the batcher is closed, or is being closed meanwhile; the message tells how many were queued before.

        Notes
        -----
        O(k). With arrays, and while it waits, the GIL is released. The time starts anew with each nudge that gets
        in: arrays larger than the batcher pass through it as ticks make room. A thread that waits looks for some
        microseconds, then lets others in, then sleeps for 50 µs at a time. Signals are handled while waiting, in the
        main thread, within 0.05 s; if a handler raises, as that of Ctrl-C does, what was queued before stays queued.
        """
        if type(agents) is int and type(angle) is float and 0 <= agents < self._n and math.isfinite(angle):
            return self._ring.put_one(agents, angle)
        numbers = admit.agents(agents, self._n)
        return self._ring.put_each(numbers, admit.vector(angle, "angle", len(numbers)))

    def flush(self) -> int:
        """Move what waits into the inboxes of the agents now, without waiting for a tick. Raises `Closed` if it is.

        What was queued before is then as if `Swarm.nudge` had been called. From any thread; O(what waits), with the
        GIL released.

        Returns
        -------
        int
            How many nudges were moved; a tick, or another thread that flushes, may have moved some of them before.
        """
        self._open()
        return self._engine.flush(self._ring)

    def close(self) -> None:
        """Let nothing in any more, and apply what waits; a second time does nothing.

        Threads that are inside `nudge` finish or get `Closed`, and what they are told is queued is applied. Waits for
        the current batch of ticks, if another thread runs the swarm.
        """
        self._engine.detach(self._ring)

    def _open(self) -> None:
        if self.closed:
            raise Closed("the batcher is closed, and what it held was applied: make another batcher")
