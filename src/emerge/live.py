"""A swarm that ticks by the wall clock beside a program, takes commands between ticks, and stops when told.

One thread owns the swarm while the loop runs. Commands are calls that it makes for others, in the order in which they
were sent; whoever sends one gets a future.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import contextvars
import copy
import math
import os
import threading
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from . import adaptive, admit
from .clock import Clock
from .errors import Busy, Closed, Diverged, InvalidValue
from .event import Converged, Event, Lost, Started, Stopped, Ticked
from .fork import renew_after_fork
from .lateness import Lateness
from .method import Integrator, Method, integrator
from .metrics import LiveMetrics
from .moments import Moments, Passing
from .run import Schedule, check_asking, schedule_of, ticks_between
from .trace import log
from .until import Coherent

if TYPE_CHECKING:
    from .model import Model
    from .swarm import Swarm
    from .topology import Topology

__all__ = ["Command", "Live"]

T = TypeVar("T")

AT_EXIT = 5.0
"""Seconds that each loop which still runs at the interpreter's exit is given to end."""

ROUNDING = 1e-6
"""Intervals by which a clock may fall short of a tick's time by rounding alone."""


class Command(concurrent.futures.Future[T], Generic[T]):
    """What becomes of a command that was sent to a live loop: a future, also to be awaited; made by `Live`.

    Its result is what the method of `Swarm` returns, or what it raises. Cancelling it before it is applied takes the
    command back.

    Notes
    -----
    Thread safety: as `concurrent.futures.Future`. Waiting for it in a callback of the loop itself raises `Busy`.
    """

    def __init__(self, call: Callable[[], T], loop: Live) -> None:
        super().__init__()
        self._call = call
        self._loop = loop
        self._context = contextvars.copy_context()

    def result(self, timeout: float | None = None) -> T:
        """Return what came of the command.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        object
            What the method of `Swarm` returned.

        Raises
        ------
        TimeoutError
            If it was not applied in time.
        Closed
            If the loop stopped before it was applied.
        Busy
            If the loop would wait for itself.
        """
        self._refuse_my_own()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the command raised, or None; waits and raises as `result` does.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        BaseException or None
            What the method of `Swarm` raised.

        Raises
        ------
        TimeoutError, Busy
            As `result`.
        """
        self._refuse_my_own()
        return super().exception(timeout)

    def _refuse_my_own(self) -> None:
        if not self.done() and self._loop._is_mine():
            raise Busy("a callback of the live loop cannot wait for a command: it is applied when the callback is over")

    def __await__(self) -> Generator[Any, None, T]:
        import asyncio

        return asyncio.wrap_future(self).__await__()

    def _apply(self) -> bool:
        """Make the call; false if it raised."""
        if not self.set_running_or_notify_cancel():
            return True
        try:
            done = self._context.run(self._call)
        except Exception as error:
            log.warning("a command failed: %s: %s", type(error).__name__, str(error))
            self.set_exception(error)
            return False
        except BaseException as error:
            self.set_exception(error)
            raise
        self.set_result(done)
        return True

    def _refuse(self, why: BaseException) -> None:
        if self.set_running_or_notify_cancel():
            self.set_exception(why)

    def _finish(self, error: BaseException | None) -> None:
        if error is not None:
            self._refuse(error)
        else:
            self._apply()


class Live:
    """A swarm ticking by the wall clock in a thread of its own; made by `Swarm.live`.

    Enter it by ``with`` or ``async with``: the loop runs in the block and is joined at its end. While it runs, `run`
    and `step` of the swarm raise `Busy` and state can be read as during a run; what changes the swarm is sent as a
    command: `nudge`, `disrupt`, `fail`, `restore`, `change`, `save`, `pause`, `resume`, `stop`.

    Notes
    -----
    Thread safety: everything from any thread or task. Commands are applied between two ticks, in the order in which
    they were sent, also while the loop is paused. An error in a tick ends the loop, and is raised by whoever waits for
    it: `stop`, `settle`, the end of the block, commands that were not yet applied.

    A loop that still runs when the interpreter exits is stopped. In a forked child it has stopped.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.complete(100), emerge.Kuramoto(coupling=5.0), seed=1)
    >>> with swarm.live(interval=0.001, speed=10.0) as live, swarm.events.subscribe(emerge.Converged) as inbox:
    ...     converged = inbox.wait(timeout=30)
    ...     chosen = live.disrupt(0.5).result(timeout=10)
    >>> len(chosen)
    50
    """

    def __init__(
        self,
        swarm: Swarm,
        interval: float,
        speed: float,
        *,
        method: Method,
        schedule: Schedule,
        catch_up: int,
        until: Coherent,
        clock: Clock,
    ) -> None:
        self._swarm = swarm
        self._interval = admit.real(interval, "interval", above=0.0)
        self._dt = self._interval * admit.real(speed, "speed", above=0.0)
        admit.real(self._dt, "interval * speed", above=0.0)
        self._schedule, self._order = schedule_of(schedule, None, swarm)
        self._method = method
        self._how_for(swarm.model)
        self._catch_up = admit.count(catch_up, "catch_up", least=0)
        self._until = until
        self._clock = clock
        admit.real(clock.time(), "the time of a clock")
        self._wake = threading.Condition()  # re-entrant: a signal handler may send, too
        self._commands: deque[Command[Any]] = deque()
        self._ends: list[Command[None]] = []
        self._ended = False
        self._thread: threading.Thread | None = None
        self._open = False
        self._paused = False
        self._idle_until: float | None = None
        self._error: BaseException | None = None
        self._passing = Passing(swarm._engine)
        self._lateness = Lateness()
        self._ticks = self._late = self._skipped = self._applied = self._failures = 0

    def __repr__(self) -> str:
        state = "paused" if self._open and self._paused else "running" if self._open else "not running"
        return f"Live({self._swarm!r}, every {self._interval:g} s, {state})"

    # ---- beginning and ending

    @property
    def running(self) -> bool:
        """Whether the loop takes commands."""
        return self._open

    def start(self) -> None:
        """Start the loop; ``with`` does so.

        Raises
        ------
        Busy
            If the swarm runs already.
        Closed
            If this loop was started before: make another with ``swarm.live()``.
        """
        with self._wake:
            if self._thread is not None:
                raise Closed("a live loop runs once: make another with swarm.live()")
            ready: concurrent.futures.Future[None] = concurrent.futures.Future()
            context = contextvars.copy_context()
            self._thread = threading.Thread(
                target=context.run, args=(self._main, ready), name="emerge live", daemon=True
            )
        _loops.add(self)
        renew_after_fork(self)
        try:
            self._thread.start()
        except BaseException:
            self._thread = None
            raise
        try:
            ready.result()
        except BaseException:
            self.stop(wait=False)  # if it was interrupted, the loop goes on
            self._thread.join()
            raise

    def stop(self, timeout: float | None = None, *, wait: bool = True) -> Command[None]:
        """Apply what was sent before, end the loop, and wait until its thread is gone.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most, greater than 0; by default until it has ended, which takes at most the rest of a
            tick and the commands sent before.
        wait : bool, default True
            Whether to wait; a task would rather ``await live.stop(wait=False)``.

        Returns
        -------
        Command
            Its future: done when the swarm has been given back; fails with what ended the loop, if that was an error.

        Raises
        ------
        TimeoutError
            If it has not ended in time; it still will, and `stop` can be called again.
        Exception
            What ended the loop, if that was an error.

        Notes
        -----
        Again, or before the start, it does nothing. In a callback of the loop itself it does not wait.
        """
        limit = admit.seconds(timeout, "timeout")
        command: Command[None] = Command(_nothing, self)
        with self._wake:
            ended = self._ended or self._thread is None
            if not ended:
                self._ends.append(command)
                self._commands.append(command)
                self._wake.notify_all()
        if ended:
            command._finish(self._error)
        if self._thread is None or self._is_mine() or not wait:
            return command
        self._thread.join(limit)
        if self._thread.is_alive():
            raise TimeoutError(f"the live loop has not ended within {limit:g} s: a tick or a command takes longer")
        if self._error is not None:
            raise self._error
        return command

    def settle(self, timeout: float | None = None) -> None:
        """Wait until all that was sent is applied and no tick is due.

        Parameters
        ----------
        timeout : float, optional
            Seconds of the system's clock to wait at most, greater than 0; by default as long as it takes.

        Raises
        ------
        TimeoutError
            If there was still something to do.
        Closed
            If the loop does not run.
        Exception
            What ended the loop, if that was an error.
        """
        limit = admit.seconds(timeout, "timeout")
        if self._is_mine():
            raise Busy("a callback of the live loop cannot wait for it")
        with self._wake:
            if not self._wake.wait_for(lambda: not self._open or self._settled(), limit):
                raise TimeoutError(f"the live loop still had something to do after {limit:g} s")
            if self._error is not None:
                raise self._error
            if not self._open:
                raise self._closed()

    def __enter__(self) -> Live:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(BaseException) if error is not None else contextlib.nullcontext():
            self.stop()

    async def __aenter__(self) -> Live:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio

        ending = asyncio.wrap_future(self.stop(wait=False))
        cancelled = False
        while not ending.done():
            try:
                await asyncio.wait([ending])
            except asyncio.CancelledError:
                cancelled = True  # but the thread is joined first
        if self._thread is not None:
            self._thread.join()
        failure = ending.exception()
        if cancelled:
            raise asyncio.CancelledError
        if failure is not None and error is None:
            raise failure

    # ---- commands

    def nudge(self, agents: int | npt.ArrayLike, angle: float | npt.ArrayLike) -> Command[None]:
        """Send `Swarm.nudge`.

        Parameters
        ----------
        agents, angle : as there
            The same.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        who, by = copy.deepcopy((agents, angle))  # as they are now
        return self._send(lambda: self._swarm.nudge(who, by))

    def disrupt(
        self, fraction: float | None = None, *, agents: npt.ArrayLike | None = None
    ) -> Command[npt.NDArray[np.int64]]:
        """Send `Swarm.disrupt`.

        Parameters
        ----------
        fraction, agents : as there
            The same.

        Returns
        -------
        Command
            Its future, with who was disrupted.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        who = copy.deepcopy(agents)
        return self._send(lambda: self._swarm.disrupt(fraction, agents=who))

    def fail(self, agents: int | npt.ArrayLike) -> Command[None]:
        """Send `Swarm.fail`.

        Parameters
        ----------
        agents : as there
            The same.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        who = copy.deepcopy(agents)
        return self._send(lambda: self._swarm.fail(who))

    def restore(self, agents: int | npt.ArrayLike | None = None) -> Command[None]:
        """Send `Swarm.restore`.

        Parameters
        ----------
        agents : as there
            The same.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        who = copy.deepcopy(agents)
        return self._send(lambda: self._swarm.restore(who))

    def change(
        self,
        *,
        coupling: float | None = None,
        model: Model | None = None,
        topology: Topology | None = None,
        frequency: float | npt.ArrayLike | None = None,
        phase: float | npt.ArrayLike | None = None,
    ) -> Command[None]:
        """Change what a run would not let others assign: all that is given, between the same two ticks.

        Parameters
        ----------
        coupling : float, optional
            The model as it is, with another coupling.
        model : model, optional
            Another model; not together with `coupling`.
        topology : Topology, optional
            Another topology of as many agents.
        frequency, phase : float or array_like of shape (n,), optional
            As `Swarm.frequency` and `Swarm.phase` are assigned.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        InvalidType, InvalidValue
            If nothing is given, or both coupling and model, or a value is of the wrong type, length or range, or the
            loop's method cannot serve the model; nothing is sent then.
        Closed
            If the loop does not run.
        """
        if topology is not None and len(topology) != len(self._swarm):
            raise InvalidValue(f"the topology has {len(topology)} agents, but the swarm has {len(self._swarm)}")
        given = {
            "model": model,
            "topology": topology,
            "frequency": None if frequency is None else admit.vector(frequency, "frequency", len(self._swarm)),
            "phase": None if phase is None else admit.vector(phase, "phase", len(self._swarm)),
        }
        wanted = {name: value for name, value in given.items() if value is not None}
        if coupling is not None and model is not None:
            raise InvalidValue("give another model or another coupling for this one, not both")
        if coupling is None and not wanted:
            raise InvalidValue("say what to change: coupling, model, topology, frequency or phase")
        if coupling is not None:
            model = self._swarm.model._with_coupling(coupling)  # refuses what is no coupling
        if model is not None:
            self._how_for(model)

        def call() -> None:
            if coupling is not None:
                self._swarm.model = self._swarm.model._with_coupling(coupling)
            for name, value in wanted.items():
                setattr(self._swarm, name, value)

        return self._send(call)

    def save(self, path: str | os.PathLike[str]) -> Command[None]:
        """Send `Swarm.save`.

        Parameters
        ----------
        path : path-like
            The same.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        return self._send(lambda: self._swarm.save(path))

    def pause(self) -> Command[None]:
        """Stop ticking, but go on taking commands; what is missed meanwhile is neither late nor made up for.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        return self._send(lambda: self._set_paused(True))

    def resume(self) -> Command[None]:
        """Tick again, the next time one interval from then.

        Returns
        -------
        Command
            Its future.

        Raises
        ------
        Closed
            If the loop does not run.
        """
        return self._send(lambda: self._set_paused(False))

    def _send(self, call: Callable[[], T]) -> Command[T]:
        command = Command(call, self)
        with self._wake:
            if not self._open or self._ends:
                raise self._closed()
            self._commands.append(command)
            self._wake.notify_all()
        return command

    def _set_paused(self, value: bool) -> None:
        self._paused = value

    def _closed(self) -> Closed:
        if self._thread is None:
            return Closed("this live loop has not been started: use it in a with block")
        if self._error is not None:
            closed = Closed(f"this live loop was ended by an error: {self._error}")
            closed.__cause__ = self._error
            return closed
        return Closed("this live loop has stopped: make another with swarm.live()")

    # ---- what it tells

    def moments(self, agent: int) -> Moments:
        """Await the moments at which an agent's phase passes 0.

        Parameters
        ----------
        agent : int
            Its number.

        Returns
        -------
        Moments
            To be iterated by ``async for``: tasks that do so act together when the swarm is in step, and apart when
            it is not. Ends when the loop stops.

        Raises
        ------
        InvalidType, InvalidValue
            If there is no such agent.
        """
        return self._passing.moments(admit.count(agent, "agent", least=0, most=len(self._swarm) - 1))

    def metrics(self) -> LiveMetrics:
        """Return counts of what the loop has done.

        Returns
        -------
        LiveMetrics
            A frozen record; without waiting.
        """
        p50, p99, worst = self._lateness.told()
        return LiveMetrics(
            ticks=self._ticks,
            late=self._late,
            skipped=self._skipped,
            jitter_p50=p50,
            jitter_p99=p99,
            jitter_worst=worst,
            commands=self._applied,
            command_failures=self._failures,
            commands_waiting=len(self._commands),
            paused=self._paused,
        )

    # ---- the loop

    def _is_mine(self) -> bool:
        return threading.current_thread() is self._thread

    def _settled(self) -> bool:
        """Whether the loop sleeps and has nothing to do; the lock is held."""
        return not self._commands and self._idle_until is not None and self._idle_until > self._clock.time()

    def _main(self, ready: concurrent.futures.Future[None]) -> None:
        """Claim the swarm, loop, and give it back: what the thread does."""
        engine = self._swarm._engine
        try:
            engine.claim()
        except BaseException as error:
            self._let_go(error)
            ready.set_exception(error)
            return
        self._open = True
        self._swarm._loops += 1
        reason = "failed"
        try:
            self._begin()
            origin = self._clock.time()
            ready.set_result(None)
            self._loop(origin)
            reason = "stopped"
        except BaseException as error:
            reason = "diverged" if isinstance(error, Diverged) else reason
            self._error = error
            log.error("a live loop ended by an error:\n%s", "".join(traceback.format_exception(error)))
        finally:
            self._end(reason)
            if not ready.done():
                ready.set_result(None)

    def _begin(self) -> None:
        swarm = self._swarm
        how = self._how_for(swarm.model)
        swarm._remember(self._dt)
        swarm._engine.begin(self._dt, self._schedule, self._order, method=how.method, tolerances=how.tolerances)
        swarm._choose()
        swarm._engine.advance(0, 1)
        self._tell(Started, dt=self._dt)

    def _how_for(self, model: Model) -> Integrator:
        """Refuse a model that the loop's method, schedule or dt cannot serve."""
        check_asking(model, self._dt)
        adaptive.check_model(self._swarm.adapt, model)
        adaptive.check_way(self._swarm.adapt, self._method, self._schedule)
        how, past = integrator(self._method, self._schedule, model), self._swarm._past
        if past is not None:
            past.admit_model(model)
            past.check(self._dt, self._schedule, how.method)
        return how

    def _end(self, reason: str) -> None:
        """Give the swarm back, and let go whoever waits."""
        self._swarm._loops -= 1
        self._swarm._engine.release()
        self._let_go(self._error)
        self._tell(Stopped, reason=reason)
        log.info("live loop ended: %s after %d ticks", reason, self._ticks)

    def _let_go(self, error: BaseException | None) -> None:
        """Take no more commands, and tell all who wait that this has ended, and whether by an error."""
        _loops.discard(self)
        with self._wake:
            self._open, self._ended = False, True
            left, self._commands = self._commands, deque()
            self._wake.notify_all()
        for command in left:
            if command not in self._ends:
                command._refuse(error or self._closed())
        for command in self._ends:
            command._finish(error)
        self._passing.end(error)

    def _loop(self, origin: float) -> None:
        """Tick when it is time, and make the calls of others in between."""
        clock, interval, done = self._clock, self._interval, 0
        while self._apply():
            if self._paused:
                self._sleep(None)
                origin, done = clock.time(), 0
                continue
            now = clock.time()
            following = origin + (done + 1) * interval
            due = max(math.floor((now - origin) / interval + ROUNDING) - done, now >= following)
            if due < 1:
                self._sleep(following)
                continue
            skipped = max(0, due - 1 - self._catch_up)
            self._skipped += skipped
            self._late += due > 1
            done += skipped + 1
            self._lateness.add(max(0.0, now - (origin + done * interval)))
            self._tick()

    def _apply(self) -> bool:
        """Make the calls that were sent; false when the loop is to stop."""
        while self._commands:
            command = self._commands.popleft()
            if command in self._ends:
                return False
            self._applied += 1
            self._failures += not command._apply()
        return True

    def _sleep(self, until: float | None) -> None:
        """Wait for a time, or for a command."""
        with self._wake:
            if self._commands:
                return
            self._idle_until = math.inf if until is None else until
            self._wake.notify_all()
            self._clock.wait(self._wake, until)
            self._idle_until = None

    def _tick(self) -> None:
        swarm = self._swarm
        self._passing.watch()
        if swarm._asking is not None:
            swarm._asking.ask(self._dt, 1)
        swarm._engine.advance(1, swarm._pace.workers)
        swarm._pace.learn(1, swarm._engine.took)
        self._ticks += 1
        self._judge(swarm._engine.coherence)
        self._passing.look(swarm._engine.time, self._dt, swarm._engine.ticks)
        for every in swarm._events._intervals:
            if every is None or self._ticks % ticks_between(every, self._dt) == 0:
                self._tell(Ticked, every=every)

    def _judge(self, coherence: float) -> None:
        """Tell when the target is reached, and when it is lost."""
        standing = self._swarm._standing
        lost = standing.lost(coherence)
        if lost is not None:
            self._tell(Lost, target=lost)
        elif coherence >= self._until.level and (standing.target is None or standing.target.level < self._until.level):
            standing.target = self._until
            self._tell(Converged, target=self._until)

    def _tell(self, kind: type[Event], *, every: float | None = None, **facts: object) -> None:
        self._swarm._events._tell(kind, lambda: self._swarm._engine.told, every=every, **facts)

    def _renew(self) -> None:
        """In a forked child: the thread is not here."""
        self._wake = threading.Condition()
        self._passing.orphan()
        self._swarm._loops = 0
        if not self._ended:
            self._let_go(None)


def _nothing() -> None:
    """Do nothing: what the command that ends a loop has to call."""


_loops: weakref.WeakSet[Live] = weakref.WeakSet()


def _stop_all() -> None:
    for loop in list(_loops):
        with contextlib.suppress(Exception):
            loop.stop(AT_EXIT)


# Before the interpreter waits for threads that may themselves wait for a loop, where it can be asked to.
getattr(threading, "_register_atexit", atexit.register)(_stop_all)
