"""A run: from batch to batch until the duration is over, the target is reached, or somebody says stop.

Between batches Python has its turn: signals, callables, progress. Where batches are cut changes nothing but
how soon Python gets it; callables are due at ticks fixed beforehand, and a batch ends there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sized
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from . import admit
from ._engine import Engine, Flag
from .asking import Asking
from .broadcast import Broadcaster
from .errors import Diverged, InvalidType, InvalidValue
from .event import Converged, Event, Lost, Started, Stopped, Ticked
from .method import PLAIN, Integrator
from .model import Model
from .pace import Pace
from .progress import Progress, Watcher
from .result import History, Reason, RunResult
from .trace import log
from .until import Coherent, Condition, Locked, Standing

if TYPE_CHECKING:
    from ._engine import Ending
    from .record import Recorder

__all__ = ["Run", "Schedule", "batch", "check_asking", "due", "schedule_of", "target", "ticks_between", "ticks_of"]

Schedule = Literal["barrier", "gossip", "ordered"]
"""Who does which block when: all together; each as soon as it can; one agent after another."""

SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)


def ticks_of(duration: object, dt: float, name: str = "duration") -> int:
    """Return how many ticks of `dt` make the duration; it must be a whole number of them, at least one."""
    span = admit.real(duration, name, above=0.0)
    ratio = span / dt
    ticks = max(1, round(ratio)) if math.isfinite(ratio) else 2**63
    if ticks >= 2**62:
        raise InvalidValue(f"{name} {span:g} is too many ticks of dt = {dt:g}: choose a larger dt")
    if abs(ratio - ticks) > 1e-9 * ticks:
        raise InvalidValue(
            f"{name} must be a whole number of ticks of dt = {dt:g}: {span:.12g} is not, {ticks * dt:.12g} is"
        )
    return ticks


def check_asking(model: Model, dt: float) -> None:
    """Refuse a dt of which the time between two questions of a model is no whole number."""
    for name, parameter in model._functions.items():
        ticks_of(parameter.every, dt, f"every of {name}")


def batch(engine: Engine, pace: Pace, most: int, dt: float, asking: Asking | None = None) -> Ending:
    """Do one batch of at most so many ticks; returns whether the run goes on, or how it ended."""
    if asking is not None:
        most = asking.ask(dt, most)
    said = engine.advance(most, pace.workers, pace.seconds)
    pace.learn(engine.done, engine.took)
    return said


@dataclass(slots=True)
class Run:
    """One run of an engine that the caller has claimed.

    `ticks_max` ticks of `dt` at most; `until` is a target or None, `call` a Python callable that is asked every
    `every` ticks once `after` have been done and stands for `goal`, `recorder` takes samples, `asking` tells who asks
    for the model that holds, `watcher` is told between batches, and who listens to `events` of what happens.
    """

    engine: Engine
    pace: Pace
    dt: float
    ticks_max: int
    until: Coherent | Locked | None = None
    call: Callable[[], object] | None = None
    every: int = 1
    after: int = 0
    goal: object = None
    timeout: float | None = None
    cancel: Flag | None = None
    patience: float | None = None
    keeps: bool = False
    recorder: Recorder | None = None
    schedule: Schedule = "barrier"
    order: npt.NDArray[np.int64] | None = None
    integrator: Integrator = PLAIN
    asking: Callable[[], Asking | None] = lambda: None
    watcher: Watcher | None = None
    events: Broadcaster | None = None
    standing: Standing = field(default_factory=Standing)
    ticks: int = field(default=0, init=False)
    reason: Reason = field(default="stopped", init=False)
    begun: float = field(default=0.0, init=False)

    def go(self) -> None:
        """Do the ticks; `reason` tells how it ended, also when this raises."""
        self.begun = perf_counter()
        self.engine.begin(
            self.dt,
            self.schedule,
            self.order,
            self.until.level if isinstance(self.until, Coherent) else -1.0,
            self.until.tolerance if isinstance(self.until, Locked) else -1.0,
            -1.0 if self.timeout is None else self.timeout,
            self.keeps,
            self.cancel,
            -1.0 if self.patience is None else self.patience,
            self.standing.floor,
            self.integrator.method,
            self.integrator.tolerances,
        )
        start = self.engine.tick
        try:
            self._go(start)
        except KeyboardInterrupt:
            self.reason = "interrupted"
            raise
        except Diverged:
            self.reason = "diverged"
            raise
        finally:
            self.ticks = self.engine.tick - start
            self._end()

    def _go(self, start: int) -> None:
        """Do batch after batch."""
        ended = self._batch(0)
        self._begin()
        self._sample()
        while not ended and self.ticks < self.ticks_max and not self._called():
            ended = self._batch(self._due())
            self.ticks = self.engine.tick - start
            self._sample()
            self._tell_lost()
            self._tell()
        if not ended and self.ticks == self.ticks_max and self.reason == "stopped":
            self.reason = "reached" if self._called() else "duration"

    def _begin(self) -> None:
        """Tell that the run begins, when the state it starts from is known."""
        self._event(Started, dt=self.dt)
        self._tell_lost()

    def _sample(self) -> None:
        """Take the samples that are due."""
        if self.recorder is not None:
            self.recorder.take(self.ticks)

    def _tell_lost(self) -> None:
        """Tell that a target is lost, if it is; the batch ended where it was."""
        lost = self.standing.lost(self.engine.coherence)
        if lost is not None:
            self._event(Lost, target=lost)

    def _end(self) -> None:
        """Tell how the run ended."""
        if self.reason == "reached":
            if isinstance(self.until, Coherent):
                self.standing.target = self.until
            self._event(Converged, target=self.goal)
        self._event(Stopped, reason=self.reason)
        log.info("run ended: %s at t = %g after %d ticks", self.reason, self.engine.time, self.ticks)

    def _event(self, kind: type[Event], *, every: float | None = None, **facts: object) -> None:
        if self.events is not None:
            self.events._tell(kind, lambda: self.engine.told, every=every, **facts)

    def result(self) -> RunResult:
        """Return what the run has to tell, complete or not."""
        seconds = perf_counter() - self.begun
        engine = self.engine
        return RunResult(
            reason=self.reason,
            time=engine.time,
            ticks=self.ticks,
            coherence=engine.coherence,
            rate=engine.graph.n * self.ticks / seconds if seconds > 0 else 0.0,
            history=self._history() if self.keeps or self.recorder is not None else None,
        )

    def _due(self) -> int:
        """Return the ticks that are left until Python must have its turn."""
        due = self.ticks_max - self.ticks
        for every in self._intervals().values():
            due = min(due, every - self.ticks % every)
        if self.call is not None:
            due = min(due, self.every - (self.ticks - self.after) % self.every)
        return due if self.recorder is None else min(due, self.recorder.left(self.ticks))

    def _intervals(self) -> dict[float | None, int]:
        """Return after how many ticks `Ticked` is told, for each interval that a listener chose."""
        if self.events is None or not self.events._intervals:
            return {}
        return {
            every: _hundredth(self.ticks_max) if every is None else ticks_between(every, self.dt)
            for every in self.events._intervals
        }

    def _batch(self, most: int) -> bool:
        """Do one batch of at most so many ticks; true if the run has ended with it."""
        said = batch(self.engine, self.pace, most, self.dt, self.asking())
        if said != "running":
            self.reason = said
        return said != "running"

    def _called(self) -> bool:
        """Ask the callable if it is due; true if it says that the run is to end."""
        if self.call is None or self.ticks < self.after:
            return False
        if (self.ticks - self.after) % self.every and self.ticks != self.ticks_max:
            return False
        if self.call():
            self.reason = "reached"
            return True
        return False

    def _tell(self) -> None:
        for every, ticks in self._intervals().items():
            if self.ticks % ticks == 0:
                self._event(Ticked, every=every)
        if self.watcher is None:
            return
        seconds = perf_counter() - self.begun
        left = self.ticks_max - self.ticks
        self.watcher(
            Progress(
                time=self.engine.time,
                ticks=self.ticks,
                ticks_max=self.ticks_max,
                coherence=self.engine.coherence,
                rate=self.engine.graph.n * self.ticks / seconds,
                eta=seconds / max(self.ticks, 1) * left,
            )
        )

    def _history(self) -> History:
        coherence = np.empty(self.engine.entries)
        self.engine.read_trace(coherence)
        origin, tick, dt, _ = self.engine.clock
        ticks = np.arange(len(coherence), dtype=np.float64) + (tick - len(coherence) + 1)
        return History(origin + ticks * dt, coherence, {} if self.recorder is None else self.recorder.series())


def due(every: float | None, until: object, dt: float, ticks_max: int) -> int:
    """Return after how many ticks a callable or a condition is due: a hundredth of the run unless the user says."""
    if every is None:
        return _hundredth(ticks_max)
    if isinstance(until, Condition) and until.observer.every is not None:
        raise InvalidValue("every is told twice: by the run, and by the observer that until waits for")
    if not callable(until) and not isinstance(until, Condition):
        raise InvalidValue("every says how often a callable until is asked; emerge.coherent and locked need none")
    return ticks_of(every, dt, "every")


def ticks_between(every: float, dt: float) -> int:
    """Return the number of ticks, at least one, that is nearest to an interval: when `Ticked` is told."""
    return max(1, round(min(every / dt, 2.0**62)))


def _hundredth(ticks_max: int) -> int:
    return max(1, ticks_max // 100)


def target(until: object) -> Coherent | Locked | None:
    """Return the target that the engine itself can test, or None for a condition, a callable or nothing."""
    if until is None or callable(until) or isinstance(until, Condition):
        return None
    if not isinstance(until, (Coherent, Locked)):
        raise InvalidType(
            "until must be emerge.coherent(level), emerge.locked(tolerance), a condition of an observer such as"
            f" OrderParameter().above(0.9), or a callable, not {until!r}"
        )
    return until


def schedule_of(schedule: object, order: object, agents: Sized) -> tuple[Schedule, npt.NDArray[np.int64] | None]:
    """Return the schedule and, for "ordered", the order of all agents: by number unless the user says."""
    for name in SCHEDULES:
        if schedule == name:
            break
    else:
        choices = ", ".join(repr(name) for name in SCHEDULES)
        raise InvalidValue(f"schedule must be one of {choices}, not {schedule!r}")
    if schedule != "ordered":
        if order is not None:
            raise InvalidValue(f'an order is for schedule="ordered", and the schedule is {schedule!r}')
        return name, None
    n = len(agents)
    if order is None:
        return name, np.arange(n)
    given = admit.agents(order, n, "order")
    times = np.bincount(given, minlength=n)
    if len(given) != n or (times != 1).any():
        odd = int(np.flatnonzero(times != 1)[0])
        stands = "is missing" if times[odd] == 0 else f"stands there {times[odd]} times"
        raise InvalidValue(f"order must name each of the {n} agents once, but agent {odd} {stands}")
    return name, given
