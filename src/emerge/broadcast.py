"""Who is told what happens to a swarm: each from a bounded buffer of its own, or by a callback.

Whoever publishes never waits for whoever listens: a full buffer drops the new event and counts it, a callback
that fails is logged and counted.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from . import admit
from .errors import Closed, InvalidType, InvalidValue
from .event import KINDS, Event, Ticked
from .fork import renew_after_fork
from .trace import current, log

if TYPE_CHECKING:
    import asyncio

__all__ = ["Broadcaster", "Subscription"]

Callback = Callable[[Any], object]
Moment = tuple[float, int, float]
"""Time, ticks done, coherence."""

F = TypeVar("F", bound=Callback)
E = TypeVar("E", bound=Event)


class Subscription:
    """Events of some kinds, from the moment of subscribing on, in a buffer of its own; made by `Broadcaster.subscribe`.

    Iterate over it, also with ``async for``: it waits for events and ends when the subscription is closed and its
    buffer empty. Leaving its ``with`` block closes it; what is in the buffer can still be read.

    Notes
    -----
    Thread safety: from any threads and tasks; each event is given to one of them. Publishing appends to the buffer
    under a lock that is held for that append alone.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=2.0), seed=1)
    >>> with swarm.events.subscribe(emerge.Started, emerge.Stopped) as inbox:
    ...     result = swarm.run(1.0)
    >>> [type(event).__name__ for event in inbox]
    ['Started', 'Stopped']
    """

    def __init__(self, owner: Broadcaster, kinds: frozenset[type[Event]], maxsize: int, every: float | None) -> None:
        self.kinds = kinds
        self.maxsize = maxsize
        self.every = every
        self._owner = owner
        self._buffer: deque[Event] = deque()
        self._lock = threading.RLock()  # a signal handler may publish, too
        self._arrived = threading.Condition(self._lock)
        self._listening = 0  # threads that wait
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._dropped = 0
        self._closed = False

    def __repr__(self) -> str:
        kinds = ", ".join(sorted(kind.__name__ for kind in self.kinds))
        state = ", closed" if self._closed else ""
        return f"Subscription({kinds}: {len(self)} of {self.maxsize} waiting, {self._dropped} dropped{state})"

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def dropped(self) -> int:
        """Events that found the buffer full."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether no more events will come."""
        return self._closed

    def poll(self) -> Event | None:
        """Return the next event, or None if there is none at this moment; never waits."""
        with self._lock:
            return self._buffer.popleft() if self._buffer else None

    def wait(self, timeout: float | None = None) -> Event:
        """Wait for the next event.

        Parameters
        ----------
        timeout : float, optional
            Seconds of wall-clock time to wait at most, greater than 0; by default until one comes.

        Returns
        -------
        Event
            The next one.

        Raises
        ------
        TimeoutError
            If none came in time.
        Closed
            If the subscription is closed and its buffer empty.
        """
        limit = admit.seconds(timeout, "timeout")
        deadline = None if limit is None else monotonic() + limit
        with self._lock:
            while not self._buffer:
                self._refuse_closed()
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"no event came within {timeout:g} s")
                self._listening += 1
                try:
                    self._arrived.wait(left)
                finally:
                    self._listening -= 1
            return self._buffer.popleft()

    def close(self) -> None:
        """Take no more events, and let go whoever waits; what is in the buffer can still be read."""
        self._owner._remove(self)
        with self._lock:
            self._closed = True
            self._wake()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        with contextlib.suppress(Closed):
            while True:
                yield self.wait()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._next()
        except Closed:
            raise StopAsyncIteration from None

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._arrived = threading.Condition(self._lock)
        self._listening, self._sleepers = 0, []

    async def _next(self) -> Event:
        import asyncio

        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._buffer:
                    return self._buffer.popleft()
                self._refuse_closed()
                sleeper = loop, loop.create_future()
                self._sleepers.append(sleeper)
            try:
                await sleeper[1]
            finally:
                with self._lock:
                    if sleeper in self._sleepers:
                        self._sleepers.remove(sleeper)
                    elif self._buffer:
                        self._wake()  # whoever was woken and cancelled passes it on

    def _refuse_closed(self) -> None:
        if self._closed:
            raise Closed("this subscription is closed and its buffer is empty: subscribe again")

    def _offer(self, event: Event) -> None:
        """Take an event, or count it if there is no room."""
        with self._lock:
            if self._closed:
                return
            if len(self._buffer) >= self.maxsize:
                self._dropped += 1
                return
            self._buffer.append(event)
            if self._listening or self._sleepers:
                self._wake()

    def _wake(self) -> None:
        """Let whoever waits look again; the lock is held."""
        self._arrived.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, future in sleepers:
            with contextlib.suppress(RuntimeError):  # the loop may be closed
                loop.call_soon_threadsafe(_let_go, future)


def _let_go(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Broadcaster:
    """The events of one swarm, and who listens; found at `Swarm.events`.

    Notes
    -----
    Thread safety: everything from any thread. Listeners are told by the thread in which something happened, before it
    goes on: first the subscriptions, then the callbacks, each in the order of their coming. Nobody waits for a
    listener's buffer; a callback is waited for.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._subscriptions: dict[Subscription, None] = {}
        self._callbacks: list[tuple[type[Event], Callback]] = []
        self._sorting = self._unsorted = False
        self._intervals: tuple[float | None, ...] = ()  # at which `Ticked` is wanted
        self._listeners: dict[tuple[type[Event], float | None], tuple[Callable[[Event], object], ...]] = {}
        self._dropped = 0
        self._failures = 0
        renew_after_fork(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        for one in list(self._subscriptions):
            one._renew()

    def subscribe(self, *kinds: type[Event], maxsize: int = 1024, every: float | None = None) -> Subscription:
        """Get a buffer into which events go from now on.

        Parameters
        ----------
        *kinds : type
            Kinds of events, such as ``emerge.Converged``; all kinds if none is named.
        maxsize : int, default 1024
            Most events that wait in the buffer, at least 1. When it is full, new ones are dropped and counted.
        every : float, optional
            Interval of `Ticked`, in the swarm's time, rounded to whole ticks, at least one. By default a hundredth of
            a run, and each tick of a live loop.

        Returns
        -------
        Subscription
            To iterate, to poll, to close. It is told until it is closed.

        Raises
        ------
        InvalidType, InvalidValue
            If something is no kind of event, or a number is out of range.
        """
        chosen = frozenset(_kind(kind) for kind in kinds) or frozenset(KINDS)
        size = admit.count(maxsize, "maxsize")
        interval = None if every is None else admit.real(every, "every", above=0.0)
        if interval is not None and Ticked not in chosen:
            raise InvalidValue("every is the interval of emerge.Ticked: subscribe to that kind too")
        made = Subscription(self, chosen, size, interval)
        with self._lock:
            self._subscriptions[made] = None
            self._sort()
        return made

    def on(self, kind: type[Event], callback: F) -> F:
        """Call `callback` with each event of a kind; `off` takes it back.

        Parameters
        ----------
        kind : type
            Kind of events, such as ``emerge.Converged``.
        callback : callable
            Gets the event, in the thread in which it happened, which waits for it. What it returns is ignored; what
            it raises is logged and counted.

        Returns
        -------
        callable
            The callback.

        Raises
        ------
        InvalidType
            If the kind is none, or the callback cannot be called.
        """
        if not callable(callback):
            raise InvalidType(f"callback must be callable, not {callback!r}")
        with self._lock:
            self._callbacks.append((_kind(kind), callback))
            self._sort()
        return callback

    def _decorator(self, kind: type[E]) -> Callable[[Callable[[E], object]], Callable[[E], object]]:
        chosen = _kind(kind)
        return lambda callback: self.on(chosen, callback)

    def off(self, callback: Callback) -> None:
        """Call a callback no more, for no kind.

        Parameters
        ----------
        callback : callable
            One that `on` was given.

        Raises
        ------
        InvalidValue
            If it was not given, or was taken back.
        """
        with self._lock:
            given = [entry for entry in self._callbacks if entry[1] is callback]
            if not given:
                raise InvalidValue(f"{callback!r} is called for no kind of events")
            for entry in given:
                self._callbacks.remove(entry)
            self._sort()

    @property
    def subscribers(self) -> int:
        """Subscriptions that are open."""
        return len(self._subscriptions)

    @property
    def waiting(self) -> int:
        """Events in all open buffers."""
        return sum(len(one) for one in list(self._subscriptions))

    @property
    def fill(self) -> float:
        """Share of the fullest open buffer that is taken, from 0 to 1; 0 where none is open."""
        return max((len(one) / one.maxsize for one in list(self._subscriptions)), default=0.0)

    @property
    def dropped(self) -> int:
        """Events that found a buffer full, of all subscriptions so far."""
        with self._lock:  # one that is being closed counts once
            return self._dropped + sum(one.dropped for one in list(self._subscriptions))

    @property
    def failures(self) -> int:
        """Callbacks that raised."""
        return self._failures

    def _sort(self) -> None:
        """List who is to be told; the lock is held, and a signal handler of this thread may come in between."""
        self._unsorted = True
        while self._unsorted and not self._sorting:
            self._sorting, self._unsorted = True, False
            self._listeners = self._sorted()
            self._intervals = tuple(every for kind, every in self._listeners if kind is Ticked)
            self._sorting = False

    def _sorted(self) -> dict[tuple[type[Event], float | None], tuple[Callable[[Event], object], ...]]:
        """Return who is to be told, by kind and by the interval of `Ticked`."""
        lists: dict[tuple[type[Event], float | None], list[Callable[[Event], object]]] = {}
        for one in list(self._subscriptions):
            for kind in one.kinds:
                lists.setdefault((kind, one.every if kind is Ticked else None), []).append(one._offer)
        for kind, callback in list(self._callbacks):
            lists.setdefault((kind, None), []).append(partial(self._call, callback))
        return {key: tuple(told) for key, told in lists.items()}

    def _tell(
        self, kind: type[Event], moment: Callable[[], Moment], *, every: float | None = None, **facts: object
    ) -> None:
        """Tell all who listen to a kind; of `Ticked`, those who chose this interval. Never raises, never waits."""
        listeners = self._listeners.get((kind, every), ())
        if not listeners:
            return  # the event need not even be made
        time, tick, coherence = moment()
        event = kind(time=time, tick=tick, coherence=coherence, trace=current(), **facts)
        for tell in listeners:
            tell(event)

    def _call(self, callback: Callback, event: Event) -> None:
        try:
            callback(event)
        except Exception:
            with self._lock:
                self._failures += 1
            log.exception("a callback for %s failed", type(event).__name__)

    def _remove(self, one: Subscription) -> None:
        with self._lock:
            if one in self._subscriptions:
                del self._subscriptions[one]
                self._dropped += one.dropped
                self._sort()


def _kind(kind: object) -> type[Event]:
    if isinstance(kind, type) and issubclass(kind, Event) and kind in KINDS:
        return kind
    names = ", ".join(f"emerge.{known.__name__}" for known in KINDS)
    raise InvalidType(f"a kind of event is one of {names}, not {kind!r}")
