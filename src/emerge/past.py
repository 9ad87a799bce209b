"""What agents that sense late need: the delays of a swarm, what was before its first tick, and what it can serve.

The past itself, a ring of the last ticks, is the engine's (`em_past.h`), made at the first tick, when `dt` is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from . import _engine, admit, team
from ._engine import Graph
from .errors import InvalidType, InvalidValue, TooLarge
from .higher import Simplicial
from .model import Model
from .result import History, Series
from .topology import Topology

if TYPE_CHECKING:
    from ._engine import Engine
    from .checkpoint import Arrays

__all__ = ["Before", "Past", "admitted", "restored"]

Floats = npt.NDArray[np.float64]
Rule = Literal["constant", "rotation"]
RULES: tuple[Rule, ...] = get_args(Rule)
Before = Rule | Series | tuple[npt.ArrayLike, npt.ArrayLike]
"""What was before the first tick: a rule, or times and phases."""

ROUND = 1e-9
"""Part of a delay by which it may be off a whole number of ticks and still is meant to be one."""


class Past:
    """How late agents sense each other, and what was before the first tick.

    `common` is the delay of all, or None: then `each` has one for each edge end, row by row. `times` end at 0, the
    start, and go with `phases`, where the past was recorded. `dt` is known once the engine keeps the past.
    """

    __slots__ = ("common", "dt", "each", "phases", "rule", "times", "topology")

    def __init__(self, topology: Topology, common: float | None, each: Floats | None, dt: float | None = None) -> None:
        self.topology = topology
        self.common = common
        self.each = each
        self.dt = dt
        self.rule: Rule = "constant"
        self.times: Floats | None = None
        self.phases: Floats | None = None

    @property
    def longest(self) -> float:
        """The longest delay."""
        return float(self.each.max()) if self.each is not None else float(self.common or 0.0)

    @property
    def shown(self) -> float | Floats:
        """The delay as users give it."""
        if self.each is None:
            return float(self.common or 0.0)
        return self.each[_once(self.topology)]

    def graph(self, topology: Topology) -> Graph:
        """Return the graph of a topology that the engine is to run on; edges with delays of their own are stored."""
        graph = topology._graph
        if self.each is None or graph.rule is None:
            return graph
        return Graph.stored(*topology._rows(), workers=team.builders(topology.edge_ends))

    def admit_topology(self, topology: Topology) -> None:
        """Refuse another topology where edges have delays of their own, unless it has the same edges."""
        if self.each is None:
            return
        mine, theirs = self.topology._rows(), topology._rows()
        if not all(np.array_equal(one, other) for one, other in zip(mine[:2], theirs[:2], strict=True)):
            raise InvalidValue(
                "edges have delays of their own, so the topology can change its weights but not its edges:"
                " make a new swarm, or give one delay for all"
            )
        self.topology = topology

    def admit_model(self, model: Model) -> None:
        """Refuse a model that cannot sense late."""
        if isinstance(model, Simplicial):
            raise InvalidValue("triads cannot be sensed late: use a model of pairs or HigherOrder, or delay=0")
        if model._pulses:
            raise InvalidValue(
                f"pulses cannot be heard late, and {type(model).__name__} has agents that fire: use delay=0"
            )

    def check(self, dt: float, schedule: str, method: str) -> None:
        """Refuse a schedule, method or dt that delays cannot be served with."""
        if schedule != "barrier":
            raise InvalidValue(f"agents that sense late need schedule='barrier', not {schedule!r}")
        if _engine.methods()[method][0] == 0:
            raise InvalidValue(
                f"method={method!r} takes steps that are not ticks, and the past is kept in ticks: use 'rk4'"
            )
        if self.dt is not None and dt != self.dt:
            raise InvalidValue(
                f"dt must stay {self.dt:g} in a swarm that senses late, whose past is kept in ticks of it, not {dt:g}"
            )
        if self.dt is None:
            self._late(dt)

    def begin(self, engine: Engine, dt: float, phase: Floats, rate: Floats) -> None:
        """Let the engine keep the past from now on, where all have these phases and turn at these rates."""
        if self.dt is None:
            engine.set_past(*self._late(dt), self._rows(dt, phase, rate))
            self.dt = dt

    def resume(self, engine: Engine, phase: Floats, cells: Floats) -> None:
        """Let a new engine keep the past that another has kept."""
        assert self.dt is not None
        engine.set_past(*self._late(self.dt), itertools.repeat(phase))
        engine.write_past(admit.finite(admit.column(cells, "past", engine.past_size, "number"), "past"))

    def _late(self, dt: float) -> tuple[float, Floats | None]:
        """Return delays in ticks: the longest, and that of each edge end unless all have the same."""
        given = np.array([self.common]) if self.each is None else self.each
        with np.errstate(over="ignore"):
            late = given / dt
        near = np.rint(late)
        late = np.where(np.abs(late - near) <= ROUND * late, near, late)
        if ((late > 0) & (late < 1)).any():
            raise InvalidValue(
                f"delays must be 0 or at least dt = {dt:g}, and the shortest is {given[given > 0].min():g}:"
                " choose a smaller dt"
            )
        longest, n = float(late.max()), len(self.topology)
        if not (longest < 2.0**30 and longest * n < 2.0**56):
            raise TooLarge(f"the past of {n} agents, {longest:g} ticks of it, cannot be had: choose a larger dt")
        admit.memory(16 * n * (int(longest) + 4), f"a past of {longest:g} ticks", "a shorter delay or a larger dt")
        return longest, None if self.each is None else late

    def _rows(self, dt: float, phase: Floats, rate: Floats) -> Iterator[Floats]:
        """Yield phases of now, and of each tick before."""
        ago = 0.0
        yield phase
        while True:
            ago += 1.0
            if self.times is not None and self.phases is not None:
                yield np.ascontiguousarray(_between(self.times, self.phases, -ago * dt))
            elif self.rule == "rotation":
                yield np.mod(phase - np.mod(rate * (ago * dt), 2 * np.pi), 2 * np.pi)
            else:
                yield phase

    def state(self, facts: dict[str, Any], arrays: Arrays) -> None:
        """Add what `restored` needs, but for the ring, to what is saved of a swarm."""
        facts["delay"] = {"common": self.common, "dt": self.dt, "rule": self.rule}
        if self.each is not None:
            arrays["delay"] = self.each
        if self.dt is None and self.times is not None and self.phases is not None:
            arrays["past_times"], arrays["past_phases"] = self.times, self.phases


def admitted(delay: object, before: object, topology: Topology) -> Past | None:
    """Check delays and a past; returns None where all sense at once."""
    times, phases, rule = _recorded(before, len(topology))
    given = np.array(admit.numbers(delay, "delay"), np.float64)
    if given.ndim > 0:
        given = admit.column(given, "delay", topology.edge_count, "edge, in the order of topology.edges")
    wrong = ~(np.isfinite(given) & (given >= 0))
    if wrong.any():
        where = f"entry {int(wrong.argmax())}" if given.ndim else "it"
        raise InvalidValue(f"delay must be finite, and 0 or at least dt, but {where} is {given[wrong][0]:g}")
    if not given.any():
        return None
    past = Past(topology, None, _ends(topology, given)) if given.ndim else Past(topology, float(given), None)
    if times is not None and -times[0] < past.longest * (1 - ROUND):
        raise InvalidValue(f"history must reach back as far as the longest delay, {past.longest:g}, not {-times[0]:g}")
    past.rule, past.times, past.phases = rule, times, phases
    return past


def restored(facts: dict[str, Any], arrays: Arrays, topology: Topology) -> Past | None:
    """Return what `Past.state` told."""
    told = facts.get("delay")
    if told is None:
        return None
    dt = None if told["dt"] is None else admit.real(told["dt"], "dt", above=0.0)
    each, common = None, None
    if told["common"] is None:
        each = admit.finite(admit.column(arrays["delay"], "delay", topology.edge_ends, "edge end"), "delay")
    else:
        common = admit.real(told["common"], "delay", above=0.0)
    past = Past(topology, common, each, dt)
    before = (arrays["past_times"], arrays["past_phases"]) if "past_times" in arrays else told["rule"]
    past.times, past.phases, past.rule = _recorded(before, len(topology))
    return past


def _recorded(before: object, n: int) -> tuple[Floats | None, Floats | None, Rule]:
    """Return times that end at 0, and phases without jumps, of a recorded past; or the rule that it follows."""
    if isinstance(before, str):
        for rule in RULES:
            if before == rule:
                return None, None, rule
        raise InvalidValue(f"history must be 'constant', 'rotation', a Series or (times, phases), not {before!r}")
    if isinstance(before, Series):
        given, seen = before.time, before.value
    elif isinstance(before, tuple) and len(before) == 2:
        given, seen = before
    else:
        hint = ': give history["phases"] of it, of observe.Phases' if isinstance(before, History) else ""
        raise InvalidType(
            f"history must be 'constant', 'rotation', a Series or (times, phases), not {type(before).__name__}{hint}"
        )
    times = np.array(admit.numbers(given, "times of history"), np.float64)
    phases = np.array(admit.numbers(seen, "phases of history"), np.float64)
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise InvalidValue("times of history must be at least two, finite and ascending")
    if phases.shape != (len(times), n):
        raise InvalidValue(
            f"phases of history must have shape ({len(times)}, {n}), times by agents, not {phases.shape}"
        )
    admit.finite(phases.ravel(), "phases of history")
    return times - times[-1], np.unwrap(phases, axis=0), "constant"


def _between(times: Floats, phases: Floats, time: float) -> Floats:
    """Return phases at a time, on straight lines between what was recorded; before that, the first."""
    k = int(np.clip(np.searchsorted(times, time, side="right") - 1, 0, len(times) - 2))
    span = times[k + 1] - times[k]
    part = min(max((time - times[k]) / span, 0.0), 1.0)
    near = round(part)
    if abs(part - near) * span <= ROUND * max(-time, span):
        part = float(near)
    between: Floats = np.mod((1.0 - part) * phases[k] + part * phases[k + 1], 2 * np.pi)
    return between


def _once(topology: Topology) -> npt.NDArray[np.bool_]:
    """Say which edge ends, row by row, are those by which edges are shown."""
    degree, indices, _ = topology._rows()
    heads = np.repeat(np.arange(len(topology), dtype=np.int64), degree)
    return np.ones(len(indices), np.bool_) if topology.directed else heads < indices


def _ends(topology: Topology, each: Floats) -> Floats:
    """Return delays of edges as those of their ends, row by row."""
    if topology.directed:
        return each
    edges = topology.edges
    order = np.lexsort((np.concatenate([edges[:, 1], edges[:, 0]]), np.concatenate([edges[:, 0], edges[:, 1]])))
    return np.ascontiguousarray(np.concatenate([each, each])[order])
