"""Moments at which an agent's phase passes 0: how tasks act together, or evenly apart.

A live loop looks after every tick at the agents that somebody awaits, and wakes who waits for those that passed.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._engine import Engine

if TYPE_CHECKING:
    import asyncio

__all__ = ["Moment", "Moments", "Passing"]


@dataclass(frozen=True, slots=True)
class Moment:
    """An agent's phase passed 0.

    Attributes
    ----------
    agent : int
        Its number.
    time : float
        Time of the swarm at which it passed, between two ticks.
    tick : int
        Ticks that the swarm had done since it was made.
    """

    agent: int
    time: float
    tick: int


class Moments:
    """Moments of one agent, to be iterated by ``async for``; made by `Live.moments`.

    Passing is counted while the agent turns forward, by less than π in a tick. What passes while nobody waits is missed
    and counted: a task that is slow skips moments and never runs after them. Iteration ends when the live loop stops;
    if that was by an error, it is raised.

    Notes
    -----
    Thread safety: from any tasks of any event loops; all who wait are woken.

    Examples
    --------
    >>> import asyncio, emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), frequency=50.0, phase=0.0)
    >>> async def main():
    ...     async with swarm.live(interval=0.001) as live:
    ...         async for moment in live.moments(3):
    ...             return moment.agent
    >>> asyncio.run(main())
    3
    """

    def __init__(self, owner: Passing, agent: int) -> None:
        self.agent = agent
        self._owner = owner
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[Moment]]] = []
        self._missed = 0

    @property
    def missed(self) -> int:
        """Moments that came while nobody waited."""
        return self._missed

    def __aiter__(self) -> Moments:
        return self

    async def __anext__(self) -> Moment:
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[Moment] = loop.create_future()
        with self._owner.lock:
            if self._owner.ended:
                self._owner.refuse()
            self._waiting.append((loop, future))
        try:
            return await future
        except _Ended:
            raise StopAsyncIteration from None
        finally:
            with self._owner.lock, contextlib.suppress(ValueError):
                self._waiting.remove((loop, future))


class Passing:
    """All moments that are awaited of one live loop."""

    def __init__(self, engine: Engine) -> None:
        self.lock = threading.Lock()
        self.ended = False
        self._error: BaseException | None = None
        self._engine = engine
        self._all: weakref.WeakSet[Moments] = weakref.WeakSet()
        self._agents = np.empty(0, np.int64)
        self._before = np.empty(0)
        self._watched = 0
        self._stale = False

    def moments(self, agent: int) -> Moments:
        """Make the moments of an agent; it is looked at as long as somebody keeps them."""
        made = Moments(self, agent)
        with self.lock:
            self._all.add(made)
            self._stale = True
        return made

    def watch(self) -> None:
        """Before a tick: begin to look at agents that are asked for, and leave those that nobody asks for any more."""
        if not self._stale and len(self._all) == self._watched:
            return
        with self.lock:
            everybody = list(self._all)
            self._watched, self._stale = len(everybody), False
        agents = np.unique(np.array([one.agent for one in everybody], np.int64))
        before = np.empty(len(agents))
        self._engine.read_some(agents, before)
        _, here, there = np.intersect1d(agents, self._agents, assume_unique=True, return_indices=True)
        before[here] = self._before[there]  # a nudge since the last tick may have taken them over 0
        self._agents, self._before = agents, before

    def look(self, time: float, dt: float, tick: int) -> None:
        """After a tick: wake who waits for agents that have passed 0 in it."""
        if not len(self._agents):
            return
        now = np.empty(len(self._agents))
        self._engine.read_some(self._agents, now)
        turned = np.mod(now - self._before + np.pi, 2 * np.pi) - np.pi
        passed = np.flatnonzero((turned > 0) & (now < self._before))
        self._before = now
        moments = {
            agent: Moment(agent, float(time - dt * now[k] / turned[k]), tick)
            for k, agent in zip(passed, self._agents[passed].tolist(), strict=True)
        }
        if moments:
            with self.lock:
                self._wake(moments)

    def end(self, error: BaseException | None) -> None:
        """Let go whoever waits: the loop has stopped."""
        with self.lock:
            self.ended, self._error = True, error
            everybody = [waiting for one in self._all for waiting in one._waiting]
        for loop, future in everybody:
            with contextlib.suppress(RuntimeError):  # the event loop may be closed
                loop.call_soon_threadsafe(_end, future, error)

    def orphan(self) -> None:
        """In a forked child: nobody looks here any more, and who held the lock may be gone."""
        self.lock = threading.Lock()
        self.ended = True

    def refuse(self) -> None:
        """Say that there are no more moments."""
        raise self._error if self._error is not None else StopAsyncIteration

    def _wake(self, moments: dict[int, Moment]) -> None:
        """Give the moments to all who wait, with one call for each event loop; the lock is held."""
        woken: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Moment], Moment]]] = {}
        for one in self._all:
            moment = moments.get(one.agent)
            if moment is None:
                continue
            waiting, one._waiting = one._waiting, []
            one._missed += not waiting
            for loop, future in waiting:
                woken.setdefault(loop, []).append((future, moment))
        for loop, pairs in woken.items():
            with contextlib.suppress(RuntimeError):  # the event loop may be closed
                loop.call_soon_threadsafe(_give, pairs)


def _give(pairs: list[tuple[asyncio.Future[Moment], Moment]]) -> None:
    for future, moment in pairs:
        if not future.done():
            future.set_result(moment)


def _end(future: asyncio.Future[Moment], error: BaseException | None) -> None:
    if not future.done():
        future.set_exception(error if error is not None else _Ended())


class _Ended(Exception):
    """No more moments come."""
