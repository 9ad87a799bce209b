"""The swarm: what a user says to a set of agents, and what they say back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from math import inf, isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from . import adaptive, admit, team
from ._engine import AGENTS_OF_BLOCK, Engine, order_parameter
from .adaptive import Adaptation
from .asking import Asking
from .broadcast import Broadcaster
from .cancel import CancelToken, flag_of, in_thread
from .clock import Clock, clock_of
from .errors import CheckpointError, InvalidType, InvalidValue
from .event import Disrupted, Event, Failed, Restored, TopologyChanged
from .fork import renew_after_fork
from .live import Live
from .method import PLAIN, Method, integrator
from .metrics import Metrics
from .model import Model
from .model import facts as model_facts
from .model import saved as saved_model
from .pace import Pace
from .past import Before
from .past import admitted as admitted_past
from .past import restored as restored_past
from .progress import Watcher, watching
from .result import RunResult
from .run import Run, Schedule, batch, check_asking, due, schedule_of, target, ticks_of
from .topology import Topology
from .until import Coherent, Condition, Locked, Standing

if TYPE_CHECKING:
    from .checkpoint import Arrays
    from .observer import Observer

__all__ = ["Swarm"]

Floats = npt.NDArray[np.float64]
E = TypeVar("E", bound=Event)

PHASES, DISRUPTIONS, NOISE = 0, 1, 2
"""What random numbers are drawn for: each purpose has a stream of its own."""

CHOICE_HOLDS = 1.0
"""Seconds for which a team is chosen: affinity and quota are read again after that."""

LIVE_LEVEL = 0.95
"""Coherence that a live loop tells of unless the user says."""

Record: TypeAlias = (
    "Literal['coherence'] | Observer | Mapping[str, Observer] | Iterable[Observer | Literal['coherence']]"
)
"""What a run can be told to keep."""

Precision = Literal["double", "single"]
"""What neighbours see of an agent: float64 or float32."""

BYTES_OF_AN_AGENT = 48
"""Phase, frequency and two phasors: what must be there before a swarm is begun."""


class Swarm:
    r"""A swarm of phase oscillators on a topology.

    Agent i has a phase :math:`\theta_i` in [0, 2π) rad and a natural frequency :math:`\omega_i` in rad per unit
    of time; it answers its neighbours as the model says.

    Parameters
    ----------
    topology : Topology
        Who senses whom.
    model : Model
        How agents answer what they sense: `Kuramoto`, `SecondOrder`, `Forced`, `IntegrateAndFire`, `Custom`, ...
    frequency : float or array_like of shape (n,), optional
        Natural frequencies, finite. By default those that came with the topology's file, else 0.
    phase : float or array_like of shape (n,), optional
        Phases in rad, finite; taken modulo 2π. By default drawn uniformly from [0, 2π) by `seed`.
    velocity : float or array_like of shape (n,), optional
        Velocities in rad per unit of time, finite, of a model with inertia. By default 0.
    energy : float or array_like of shape (n,), optional
        Energies, from 0 to the capacity, of a model with energy. By default the capacity.
    adapt : Hebbian or AntiHebbian, optional
        How the weights of the topology's edges change with the phases of their agents: see `strengths`. By default
        they do not.
    delay : float or array_like of shape (E,), default 0.0
        How late agents sense each other, in units of time: 0, or finite and at least the dt of its ticks. One number
        for all, or one for each edge in the order of ``topology.edges``, an undirected one for both ways, such as
        `Connectome.delays` gives. With delay 0 agents sense the present, as without.
    history : {"constant", "rotation"}, Series or (times, phases), default "constant"
        What was before the first tick, of agents that sense late. "constant": the phases they have then. "rotation":
        each turned at its natural frequency, or at its velocity. Or what was recorded, as ``history["phases"]`` of a
        run with `observe.Phases`, or times, shape (k,), and phases, shape (k, n): it ends at the start, whatever its
        last time is, reaches back as far as the longest delay, and goes in straight lines. Without `phase` agents start
        from its end.
    seed : int or numpy.random.Generator, optional
        Seed of everything that is drawn: phases, disruptions and noise. By default fresh entropy, so that two swarms
        differ. Of a generator one number is drawn.
    threads : int, optional
        Workers of a tick, from 1 to 1024. By default as many as the work is worth and as prove fastest while it
        runs, at most what OMP_NUM_THREADS, the process's affinity and its CPU quota allow.
    precision : {"double", "single"}, default "double"
        What neighbours see of an agent: its phasor in float64, or in float32, which halves the memory that a tick
        reads and brings errors of some 3e-8 rad. Phases and all arithmetic are float64 either way. Topologies whose
        agents sense sums (complete, groups, star) use float64 always.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.
    TooLarge
        If there is no memory for the swarm; the message names the size.

    Notes
    -----
    Determinism: the same bits on any number of threads (but for the schedule "gossip"), for any way of cutting a
    run into smaller ones, after save and load, and on any instruction set.

    Thread safety: one thread at a time may run a swarm, another gets `Busy`. `nudge` and `disrupt` work from
    any thread at any time and lose nothing. Assigning `topology` from another thread takes effect with the
    next tick. Reading state from another thread waits for the current batch of ticks, about 50 ms, and sees the
    state between two ticks. Assigning phase,
    frequency or model while another thread runs the swarm raises `Busy`.

    Agents that sense late read a ring of past phasors: 16 bytes for each agent and each tick of the longest delay, and
    8 for each edge end where edges have delays of their own (4 if all are whole ticks). Between ticks it is read off
    cubics. They need the schedule "barrier", a method of fixed steps and one dt, and no triads.

    Memory: 48 bytes an agent (32 on complete topologies and groups, and in single precision) beside the topology;
    8 more once somebody nudges, and 8 once it tracks. Weights that adapt: 8 bytes an edge end, 24 once a method has
    several stages.

    Swarms can be pickled, copied and deep-copied; the copy goes on with the same bits.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(100, degree=4), emerge.Kuramoto(coupling=1.0), seed=7)
    >>> swarm.step(10)
    >>> swarm
    Swarm(100 agents, Kuramoto(coupling=1.0, lag=0.0, normalize='weight'), t = 0.1)
    """

    __slots__ = (
        "__weakref__",
        "_adapt",
        "_asking",
        "_choose_next",
        "_disruptions",
        "_engine",
        "_events",
        "_lock",
        "_loops",
        "_model",
        "_pace",
        "_past",
        "_precision",
        "_result",
        "_seed",
        "_standing",
        "_threads",
        "_topology",
    )

    def __init__(
        self,
        topology: Topology,
        model: Model,
        *,
        frequency: float | npt.ArrayLike | None = None,
        phase: float | npt.ArrayLike | None = None,
        velocity: float | npt.ArrayLike | None = None,
        energy: float | npt.ArrayLike | None = None,
        adapt: Adaptation | None = None,
        delay: float | npt.ArrayLike = 0.0,
        history: Before = "constant",
        seed: int | np.random.Generator | None = None,
        threads: int | None = None,
        precision: Precision = "double",
    ) -> None:
        if not isinstance(topology, Topology):
            raise InvalidType(f"topology must be an emerge.Topology, not {topology!r}")
        _check_model(model)
        strengths = None if adapt is None else self._learning(topology, model, adapt)
        n = len(topology)
        self._threads = team.threads(threads)
        self._precision = _precision_of(precision)
        self._seed = _seed_of(seed)
        self._disruptions = 0
        admit.memory(BYTES_OF_AN_AGENT * n, f"a swarm of {n} agents")
        if frequency is None:
            frequency = 0.0 if topology.frequency is None else topology.frequency
        self._past = admitted_past(delay, history, topology)
        if strengths is not None and self._past is not None:
            raise InvalidValue("edges whose weights adapt cannot be sensed late: give adapt= or delay=, not both")
        if phase is None and self._past is not None and self._past.phases is not None:
            phase = self._past.phases[-1]
        if phase is None:
            phase = self._random(PHASES, 0).uniform(0.0, 2 * np.pi, n)
        self._begin(topology, model, admit.vector(phase, "phase", n), admit.vector(frequency, "frequency", n))
        if velocity is not None:
            self.velocity = velocity
        if energy is not None:
            self.energy = energy
        if adapt is not None and strengths is not None:
            self._learn(adapt, strengths)

    def _begin(self, topology: Topology, model: Model, phase: Floats, frequency: Floats) -> None:
        """Set up the engine for checked values."""
        usual, _ = team.choice(self._threads, len(topology), topology.edge_ends)
        graph = topology._graph if self._past is None else self._past.graph(topology)
        self._engine = Engine(graph, _within_reach(phase), frequency, usual, team.cores(), self._precision == "single")
        key = np.random.SeedSequence([self._seed, NOISE]).generate_state(1, np.uint64)[0]
        self._engine.set_key(int(key))
        self._adapt: Adaptation | None = None
        self._take_model(model)
        self._lock = threading.RLock()  # keeps together what is set, drawn or saved together
        renew_after_fork(self)
        self._topology = topology
        self._pace = Pace()
        self._choose_next = -inf  # when the team is to be chosen again
        self._events = Broadcaster()
        self._standing = Standing()
        self._loops = 0  # live loops that run: 0 or 1
        self._result: RunResult | None = None

    def _take_model(self, model: Model) -> None:
        if self._past is not None:
            self._past.admit_model(model)
        model._tell(self._engine, self._engine.graph.n, self._engine.time)
        self._model = model
        asks = model._asks or model._functions
        self._asking = Asking(self._engine, model) if asks else None

    @staticmethod
    def _learning(topology: Topology, model: Model, adapt: object) -> Floats:
        """Return the weights that a law begins with, if topology and model can serve it."""
        law = adaptive.law_of(adapt)
        adaptive.check_topology(topology)
        adaptive.check_model(law, model)
        admit.memory(16 * topology.edge_ends, f"weights of {topology.edge_ends} edge ends that adapt")
        return adaptive.strengths_of(None, law, topology)

    def _learn(self, law: Adaptation, strengths: Floats) -> None:
        """Let the weights of edges be state, beginning with these."""
        self._engine.write_weights(strengths)
        self._engine.set_adaptation(law._told())
        self._adapt = law

    # ---- state

    def __len__(self) -> int:
        return len(self._topology)

    def __repr__(self) -> str:
        late = "" if self._past is None else f", delay up to {self._past.longest:g}"
        adapts = "" if self._adapt is None else f", {self._adapt}"
        return f"Swarm({len(self)} agents, {self._model}{late}{adapts}, t = {self.time:.6g})"

    @property
    def phase(self) -> Floats:
        """Phases in rad, in [0, 2π), shape (n,): a copy. Assign one number or n of them, finite.

        Nudges that no tick has taken yet are in what is read; assigning drops them. What agents that sense late sense
        of the past stays as it was: an assignment changes the present alone.
        """
        phase = np.empty(len(self))
        self._engine.read_phase(phase)
        return phase

    @phase.setter
    def phase(self, value: float | npt.ArrayLike) -> None:
        self._engine.write_phase(_within_reach(admit.vector(value, "phase", len(self))))

    @property
    def frequency(self) -> Floats:
        """Natural frequencies in rad per unit of time, shape (n,): a copy. Assign one number or n, finite."""
        frequency = np.empty(len(self))
        self._engine.read("frequency", frequency)
        return frequency

    @frequency.setter
    def frequency(self, value: float | npt.ArrayLike) -> None:
        self._engine.write("frequency", admit.vector(value, "frequency", len(self)))

    @property
    def velocity(self) -> Floats:
        """Velocities in rad per unit of time, shape (n,): a copy. Assign one number or n, finite.

        Only where the model has inertia: with `SecondOrder`. Raises `InvalidValue` otherwise.
        """
        velocity = np.empty(len(self))
        self._engine.read("velocity", velocity)
        return velocity

    @velocity.setter
    def velocity(self, value: float | npt.ArrayLike) -> None:
        self._engine.write("velocity", admit.vector(value, "velocity", len(self)))

    @property
    def energy(self) -> Floats:
        """Energies, shape (n,): a copy. Assign one number or n, from 0 to the capacity.

        Only where turning costs energy: with a model that has ``energy=``. Raises `InvalidValue` otherwise.
        """
        energy = np.empty(len(self))
        self._engine.read("energy", energy)
        return energy

    @energy.setter
    def energy(self, value: float | npt.ArrayLike) -> None:
        energy = admit.vector(value, "energy", len(self))
        limit = self._model.energy
        if limit is not None and ((energy < 0) | (energy > limit.capacity)).any():
            raise InvalidValue("energy must be from 0 to the capacity")
        self._engine.write("energy", energy)

    @property
    def adapt(self) -> Adaptation | None:
        """How weights change with phases, or None. Assign another law to change it between ticks.

        Only where the swarm was made with ``adapt=``: raises `InvalidValue` otherwise. ``rate=0`` holds weights.
        """
        return self._adapt

    @adapt.setter
    def adapt(self, value: Adaptation) -> None:
        law = adaptive.law_of(value)
        with self._lock:
            adaptive.strengths_of(self.strengths, law, self._topology)
            self._engine.set_adaptation(law._told())
            self._adapt = law

    @property
    def strengths(self) -> Floats:
        """Weights that adapt: shape (edge ends,), a copy. Assign one number or one for each, finite, within the bounds.

        In the order of the rows of `Topology.to_scipy`, ascending: by who senses, then by whom; that of
        `Topology.edges` if the topology is directed. An undirected edge has two, which differ if `adapt` has a shift.
        At first they are the topology's weights, which stay what they were. Only of a swarm that was made with
        ``adapt=``: raises `InvalidValue` otherwise.
        """
        self._adapting()
        strengths = np.empty(self._topology.edge_ends)
        self._engine.read_weights(strengths)
        return strengths

    @strengths.setter
    def strengths(self, value: float | npt.ArrayLike) -> None:
        self._engine.write_weights(adaptive.strengths_of(value, self._adapting(), self._topology))

    def _adapting(self) -> Adaptation:
        """Return the law by which weights adapt, or say that they do not."""
        if self._adapt is None:
            raise InvalidValue(
                "the weights of this swarm do not adapt: make it with adapt=, as emerge.Hebbian(rate=0.1)"
            )
        return self._adapt

    def track(self) -> None:
        """Count from now on how far agents turn, for `displacement`; nothing changes if that is done already.

        Raises
        ------
        TooLarge
            If there is no memory for it, 8 bytes an agent.

        Notes
        -----
        From any thread; while another thread runs the swarm it waits for the current batch of ticks. It is saved,
        pickled and copied with the swarm. O(agents) for each tick, some 2 ns an agent where phases stand in memory. The
        same bits on any team, in any batches and on any instruction set.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.Swarm(emerge.Topology.ring(3), emerge.Kuramoto(coupling=1.0), phase=0.0, frequency=8.0)
        >>> swarm.track()
        >>> swarm.step(100)
        >>> swarm.nudge(0, -1.0)
        >>> swarm.displacement.round(9).tolist()
        [7.0, 8.0, 8.0]
        """
        self._engine.track()

    @property
    def displacement(self) -> Floats:
        """Angle by which agents have turned since `track`, in rad, whole turns counted, shape (n,): a copy.

        Their own steps and nudges count, a nudge by the shorter way around the circle; phases that are assigned do not.
        Raises `InvalidValue` before `track`.
        """
        displacement = np.empty(len(self))
        if not self._engine.read_displacement(displacement):
            raise InvalidValue("how far agents turn is not counted yet: call swarm.track() before the ticks that count")
        return displacement

    @property
    def model(self) -> Model:
        """How agents answer what they sense. Assign another model to change it between ticks.

        Within a run, by what it calls, it must be one that the run's method, schedule and dt can serve.
        """
        return self._model

    @model.setter
    def model(self, value: Model) -> None:
        _check_model(value)
        with self._lock:
            self._check_exchange(value)
            self._take_model(value)

    def _check_exchange(self, model: Model) -> None:
        """Refuse a model that the run which is going on, or the law of the weights, cannot serve."""
        adaptive.check_model(self._adapt, model)
        serving = self._engine.serving
        if serving is not None:
            method, schedule, dt = serving
            check_asking(model, dt)
            integrator(method, schedule, model)

    @property
    def topology(self) -> Topology:
        """Who senses whom. Assign another topology of as many agents, also while the swarm runs."""
        return self._topology

    @topology.setter
    def topology(self, value: Topology) -> None:
        if not isinstance(value, Topology):
            raise InvalidType(f"topology must be an emerge.Topology, not {value!r}")
        if self._adapt is not None:
            raise InvalidValue(
                "the topology of a swarm whose weights adapt stays, since its edges carry them: make another swarm, or"
                " set strengths of edges to 0"
            )
        with self._lock:
            graph = value._graph
            if self._past is not None:
                self._past.admit_topology(value)
                graph = self._past.graph(value)
            self._engine.set_graph(graph)
            self._topology = value
        self._choose_next = -inf
        self._tell(TopologyChanged, topology=value)

    @property
    def delay(self) -> float | Floats:
        """How late agents sense each other: one number, or one for each edge of `topology`, shape (E,), a copy."""
        return 0.0 if self._past is None else self._past.shown

    @property
    def precision(self) -> Precision:
        """What neighbours see of an agent: "double" or "single"."""
        return self._precision

    @property
    def coherence(self) -> float:
        """Coherence R, the length of the mean of exp(iθ), in [0, 1], of the phases as they are now."""
        return order_parameter(self.phase, self._failed())[0]

    @property
    def mean_phase(self) -> float:
        """Mean phase ψ, the angle of the mean of exp(iθ), in rad, in [0, 2π); meaningless where R is near 0."""
        return order_parameter(self.phase, self._failed())[1] % (2 * np.pi)

    @property
    def time(self) -> float:
        """Time of the swarm: start + ticks · dt, never a sum of many."""
        return self._engine.time

    @property
    def result(self) -> RunResult | None:
        """How the last run ended, also when it was interrupted; None before the first."""
        return self._result

    @property
    def events(self) -> Broadcaster:
        """What happens to this swarm: subscribe to it, or have a callable called."""
        return self._events

    def on(self, kind: type[E]) -> Callable[[Callable[[E], object]], Callable[[E], object]]:
        """Have a function called with each event of a kind: a decorator.

        Parameters
        ----------
        kind : type
            Kind of events, such as ``emerge.Converged``.

        Returns
        -------
        callable
            Decorator that registers a function and returns it; ``swarm.events.off`` takes it back.

        Raises
        ------
        InvalidType
            If it is no kind of event.

        Notes
        -----
        Called in the thread in which it happens, between ticks, and waited for: keep it short, and hand long work
        on. What it raises is logged and counted. From any thread.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.Swarm(emerge.Topology.complete(50), emerge.Kuramoto(coupling=2.0), seed=1)
        >>> @swarm.on(emerge.Converged)
        ... def tell(event):
        ...     print(event.target)
        >>> result = swarm.run(20.0, until=emerge.coherent(0.95))
        R ≥ 0.95
        """
        return self._events._decorator(kind)

    def _renew(self) -> None:
        """In a forked child: make the lock anew."""
        self._lock = threading.RLock()
        self._choose_next = -inf

    def _tell(self, kind: type[Event], **facts: Any) -> None:
        self._events._tell(kind, self._engine.moment, **facts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the engine holds for this swarm, its topology counted once."""
        mine, shown = self._engine.graph, self._topology._graph
        return self._engine.nbytes + shown.nbytes + (0 if mine is shown else mine.nbytes)

    def metrics(self) -> Metrics:
        """Return counts of what the swarm has done since it was made.

        Returns
        -------
        Metrics
            A frozen record. Reading it from another thread while the swarm runs gives the counts of the last
            batch of ticks.
        """
        counts = self._engine.metrics()
        rate = len(self) * counts["ticks"] / counts["seconds"] if counts["seconds"] else 0.0
        events = self._events
        return Metrics(
            **counts,
            rate=rate,
            subscribers=events.subscribers,
            events_waiting=events.waiting,
            events_fill=events.fill,
            events_dropped=events.dropped,
            callback_failures=events.failures,
            threads=max(self._engine.working, self._loops),
            memory=self.nbytes,
        )

    def check(self) -> tuple[str, ...]:
        """Return what is inconsistent in the state, as sentences; nothing if all is well.

        Whatever threads did to the swarm, phases must be in range, frequencies finite, what neighbours see the
        function of phase that it should be, sums the sums of their parts, and the rows of the topology in order.

        Returns
        -------
        tuple of str
            Empty if the state is consistent: ``assert not swarm.check()``.

        Notes
        -----
        O(agents + edges), for tests and for peace of mind. From any thread; while another thread runs the swarm
        it waits for the current batch of ticks.

        Examples
        --------
        >>> import emerge
        >>> emerge.Swarm(emerge.Topology.ring(5), emerge.Kuramoto(coupling=1.0), seed=1).check()
        ()
        """
        return tuple(self._engine.check())

    # ---- running

    def step(
        self,
        ticks: int = 1,
        *,
        dt: float = 0.01,
        method: Method = "euler",
        schedule: Schedule = "barrier",
        order: npt.ArrayLike | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        dt_min: float | None = None,
        dt_max: float | None = None,
    ) -> None:
        """Do some ticks, and nothing else.

        Parameters
        ----------
        ticks : int, default 1
            How many, at least 1.
        dt : float, default 0.01
            Length of a tick in units of time, greater than 0. Choose it so that no agent turns by more than about 0.1
            rad relative to its neighbours in one tick (Heun and RK4: some tenths); "dopri5" takes steps of its own.
        method : {"euler", "heun", "rk4", "semi-implicit", "verlet", "dopri5"}, default "euler"
            As in `run`.
        schedule : {"barrier", "gossip", "ordered"}, default "barrier"
            As in `run`.
        order : array_like of int, shape (n,), optional
            As in `run`.
        rtol, atol, dt_min, dt_max : float, optional
            As in `run`.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range.
        Busy
            If another thread runs the swarm.
        Diverged
            If an agent's step left the range of numbers: it keeps its last phase, the others end the tick, and
            the state is finite.

        Notes
        -----
        O(agents + edges) for each tick. ``step(100)`` and a hundred times ``step()`` give the same bits. Not
        for two threads at once.
        """
        left = admit.count(ticks, "ticks")
        dt = admit.real(dt, "dt", above=0.0)
        engine, pace, asking, past = self._engine, self._pace, self._asking, self._past
        chosen, agents, how = schedule, None, PLAIN  # which serves all, and whose checks a step has no time for
        if method != "euler" or schedule != "barrier" or not order is rtol is atol is dt_min is dt_max is None:
            chosen, agents = schedule_of(schedule, order, self)
            how = integrator(method, chosen, self._model, rtol, atol, dt_min, dt_max)
            adaptive.check_way(self._adapt, how.method, chosen)
        if past is not None:
            past.check(dt, chosen, how.method)
        if asking is None and self._choose_next == inf:
            if past is not None:
                self._remember(dt)
            engine.step(left, dt, chosen, agents, pace.workers, how.method, how.tolerances)
            return
        check_asking(self._model, dt)
        with engine:
            self._choose()
            self._remember(dt)
            engine.begin(dt, chosen, agents, method=how.method, tolerances=how.tolerances)
            while left > 0:
                batch(engine, pace, left, dt, self._asking)
                left -= engine.done

    def run(
        self,
        duration: float,
        *,
        dt: float = 0.01,
        method: Method = "euler",
        schedule: Schedule = "barrier",
        order: npt.ArrayLike | None = None,
        until: Coherent | Locked | Condition | Callable[[Swarm], object] | None = None,
        every: float | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        update_deadline: float | None = None,
        record: Record | None = None,
        progress: bool | Watcher = False,
        rtol: float | None = None,
        atol: float | None = None,
        dt_min: float | None = None,
        dt_max: float | None = None,
    ) -> RunResult:
        """Run for a duration, or until a target is reached.

        Parameters
        ----------
        duration : float
            In units of time: a whole number of ticks (to 1e-9), at least one.
        dt : float, default 0.01
            Length of a tick, greater than 0, as in `step`.
        method : {"euler", "heun", "rk4", "semi-implicit", "verlet", "dopri5"}, default "euler"
            Integrator. "euler": explicit, first order; with noise it is Euler-Maruyama. "heun": second order; with
            noise it is stochastic Heun. "rk4": the classical one, fourth order. "semi-implicit" (Euler, first order)
            and "verlet" (Störmer-Verlet, second order) are for models with inertia. "dopri5": Dormand and Prince's
            5(4), which chooses its steps by `rtol` and `atol`, longer or shorter than dt; ticks are read off its dense
            output. Only one-stage methods ("euler", "semi-implicit") serve the schedules "gossip" and "ordered".
        schedule : {"barrier", "gossip", "ordered"}, default "barrier"
            Who does what when. "barrier": all agents together, from the state at the beginning of the tick; the
            same bits on any number of threads. "gossip": each as soon as it can, from the newest phases of its
            neighbours, waiting only at the end of a tick; not repeatable to the bit on several threads. "ordered":
            one agent after another on one thread, each seeing all earlier updates; the same bits each time.
        order : array_like of int, shape (n,), optional
            Order of the agents for "ordered", each once; by number if not given.
        until : Coherent, Locked, Condition or callable, optional
            ``emerge.coherent(level)`` or ``emerge.locked(tolerance)``, tested by the engine before the first
            and after every tick; a condition on what is observed, such as
            ``observe.OrderParameter(moment=2).above(0.9)``, or a callable that gets the swarm and returns true to end
            the run, judged before the first tick, every `every`, and at the end.
        every : float, optional
            Interval between calls of a callable `until`, or looks of an observer that has none of its own, a whole
            number of ticks. By default a hundredth of the duration.
        timeout : float, optional
            Seconds of wall-clock time, greater than 0, after which the run ends at the next tick.
        cancel : CancelToken, optional
            Ends the run after the tick in which it is cancelled, from any thread.
        update_deadline : float, optional
            Seconds of wall-clock time, greater than 0, that one tick may take; the run ends after one that took
            longer, with the reason "deadline".
        record : {"coherence"}, observer, list or dict of observers, optional
            What is kept in ``result.history``. "coherence": R of the start and of every tick (8 bytes each). Observers
            of `emerge.observe`, each at its own interval from the start on: ``history["r"].time`` and ``.value`` if
            they are given as ``{"r": observe.OrderParameter(every=0.1)}``; in a list, which may also hold "coherence",
            each has a name of its own, such as ``history["order_parameter"]``.
        progress : bool or callable, default False
            True shows a bar (extra ``cli``); a callable gets an `emerge.Progress` after every batch of ticks.
        rtol, atol : float, optional
            For "dopri5": what a step may be wrong by, in each agent: atol + rtol rad in phase, atol + rtol · |velocity|
            in velocity; greater than 0. By default 1e-6 and 1e-9.
        dt_min, dt_max : float, optional
            For "dopri5": bounds of its steps. By default none.

        Returns
        -------
        RunResult
            Why and when it ended; also kept as `Swarm.result`.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range; nothing has run then.
        Busy
            If another thread runs the swarm.
        Diverged
            If an agent's step left the range of numbers: it keeps its last phase, the others end the tick, and
            the state is finite.
        KeyboardInterrupt
            On Ctrl-C, within 0.2 s or one tick: the swarm is consistent and can go on, and `result` keeps what
            was recorded.

        Notes
        -----
        O(agents + edges) for each tick. Bitwise deterministic but for "gossip" on several threads, whatever the
        threads and however a run is cut into shorter ones; only `timeout`, `update_deadline`, `cancel` and Ctrl-C
        depend on the clock on the wall. Fixed points with zero mean frequency are the same under every schedule;
        rates and frequencies under "gossip" and "ordered" differ from those of "barrier" to first order in dt.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.Swarm(emerge.Topology.complete(50), emerge.Kuramoto(coupling=1.0), seed=1)
        >>> result = swarm.run(100.0, until=emerge.coherent(0.99), record="coherence")
        >>> result.reason
        'reached'
        >>> len(result.history) == result.ticks + 1
        True
        """
        from .record import Recorder, asked, observers_of

        dt = admit.real(dt, "dt", above=0.0)
        ticks = ticks_of(duration, dt)
        goal = target(until)
        if isinstance(goal, Locked) and self._model._pulses:
            raise InvalidValue("agents that fire have no rates that could become equal: wait for emerge.coherent")
        keeps, observers = observers_of(record)
        timeout, patience = admit.seconds(timeout, "timeout"), admit.seconds(update_deadline, "update_deadline")
        flag = flag_of(cancel)
        interval = due(every, until, dt, ticks)
        chosen, agents = schedule_of(schedule, order, self)
        how = integrator(method, chosen, self._model, rtol, atol, dt_min, dt_max)
        adaptive.check_way(self._adapt, how.method, chosen)
        check_asking(self._model, dt)
        if self._past is not None:
            self._past.check(dt, chosen, how.method)
        recorder = Recorder(self, observers, dt, due(None, None, dt, ticks)) if observers else None
        call, interval, after = asked(until, self, dt, interval)
        with watching(progress) as watcher, self._engine:
            self._choose()
            self._remember(dt)
            run = Run(self._engine, self._pace, dt, ticks)
            run.until, run.timeout, run.watcher = goal, timeout, watcher
            run.cancel, run.patience = flag, patience
            run.events, run.standing = self._events, self._standing
            run.keeps, run.recorder = keeps, recorder
            run.schedule, run.order = chosen, agents
            run.integrator, run.asking = how, lambda: self._asking
            run.call, run.every, run.after, run.goal = call, interval, after, until
            try:
                run.go()
            finally:
                self._result = run.result()
        return self._result

    async def run_async(self, duration: float, *, cancel: CancelToken | None = None, **options: Any) -> RunResult:
        """Run as `run` does, in a thread, while the event loop goes on.

        Parameters
        ----------
        duration : float
            As for `run`.
        cancel : CancelToken, optional
            As for `run`.
        **options : object
            All other arguments of `run`.

        Returns
        -------
        RunResult
            As of `run`.

        Raises
        ------
        asyncio.CancelledError
            If the task is cancelled: the run ends after its current tick, then this is raised. The swarm is
            consistent and can go on; `Swarm.result` tells how far it came.
        InvalidType, InvalidValue, Busy, Diverged
            As `run`.

        Notes
        -----
        The run has a thread of its own; a callable `until`, `progress` and callbacks of events are called
        there. The same bits as `run`.

        Examples
        --------
        >>> import asyncio, emerge
        >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
        >>> asyncio.run(swarm.run_async(1.0)).reason
        'duration'
        """
        flag_of(cancel)
        token = CancelToken() if cancel is None else cancel._child()
        return await in_thread(lambda: self.run(duration, cancel=token, **options), token)

    def live(
        self,
        interval: float = 0.01,
        speed: float = 1.0,
        *,
        method: Method = "euler",
        schedule: Schedule = "barrier",
        catch_up: int = 10,
        until: Coherent | None = None,
        clock: Clock | None = None,
    ) -> Live:
        """Tick by the wall clock, in a thread beside the program.

        Parameters
        ----------
        interval : float, default 0.01
            Seconds from tick to tick, greater than 0.
        speed : float, default 1.0
            Units of the swarm's time for each second, greater than 0: ``dt = interval * speed``.
        method : {"euler", "heun", "rk4", "semi-implicit", "verlet", "dopri5"}, default "euler"
            As in `run`.
        schedule : {"barrier", "gossip", "ordered"}, default "barrier"
            As in `run`.
        catch_up : int, default 10
            Ticks that are made up for when the loop is late, at most; the others are skipped, and the swarm's time
            falls behind the clock. 0 skips all.
        until : Coherent, optional
            Target of the events `Converged` and `Lost`; by default ``emerge.coherent(0.95)``. Ends nothing.
        clock : Clock, optional
            What it ticks by: the system's monotonic clock, or an `emerge.ManualClock`.

        Returns
        -------
        Live
            To be entered by ``with`` or ``async with``.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range.

        Notes
        -----
        The same bits for the same ticks and commands as `step`; which ticks commands fall between depends on the
        clock.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
        >>> with swarm.live(interval=0.001) as live:
        ...     live.change(coupling=3.0).result(timeout=10)
        >>> swarm.model.coupling
        3.0
        """
        goal = Coherent(LIVE_LEVEL) if until is None else until
        if not isinstance(goal, Coherent):
            raise InvalidType(f"until of a live loop must be emerge.coherent(level), not {until!r}")
        chosen = clock_of(clock)
        return Live(
            self, interval, speed, method=method, schedule=schedule, catch_up=catch_up, until=goal, clock=chosen
        )

    def _remember(self, dt: float) -> None:
        """Make the past of agents that sense late, before the first of their ticks; nothing may be refused after."""
        if self._past is None:
            return
        with self._lock:
            rate = self.velocity if self._model._inertial else self.frequency
            self._past.begin(self._engine, dt, self.phase, rate)

    def _choose(self) -> None:
        """Choose the team, unless that was done a moment ago, or no other could be chosen."""
        now, n = monotonic(), len(self)
        if now >= self._choose_next:
            given = self._threads is not None or n <= AGENTS_OF_BLOCK
            self._choose_next = inf if given else now + CHOICE_HOLDS
            self._pace.begin(*team.choice(self._threads, n, self._topology.edge_ends))

    # ---- poking

    def nudge(self, agents: int | npt.ArrayLike, angle: float | npt.ArrayLike) -> None:
        """Turn agents by an angle, from any thread, also while the swarm runs.

        Parameters
        ----------
        agents : int or array_like of int, shape (k,)
            Numbers of agents, from 0 to n - 1; one that stands there twice is turned twice.
        angle : float or array_like of shape (k,)
            Angle in rad, finite, one for all or one for each.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nobody has been turned then.
        TooLarge
            If there is no memory for the inbox, 8 bytes an agent, made by the first nudge.

        Notes
        -----
        Never waits and loses nothing: the angle goes to the agent's inbox by one atomic addition and is in its
        phase, for the agent and its neighbours alike, from the end of the current tick on. Nudges within a tick
        give the same bits in any order. O(k). For many threads that nudge all the time there is `Batcher`.
        """
        if type(agents) is int and type(angle) is float and 0 <= agents < len(self) and isfinite(angle):
            return self._engine.nudge_one(agents, angle)
        numbers = admit.agents(agents, len(self))
        return self._engine.nudge(numbers, admit.vector(angle, "angle", len(numbers)))

    def disrupt(self, fraction: float | None = None, *, agents: npt.ArrayLike | None = None) -> npt.NDArray[np.int64]:
        """Knock agents out of phase: turn each by a random angle.

        Parameters
        ----------
        fraction : float, optional
            Share of the agents, from 0 to 1; who they are is drawn at random.
        agents : array_like of int, optional
            Or the agents themselves. One of the two must be given.

        Returns
        -------
        ndarray of int64, shape (k,)
            Who was disrupted, ascending; a new array.

        Raises
        ------
        InvalidType, InvalidValue
            If both or neither are given, or one is of the wrong type or range.

        Notes
        -----
        Angles are uniform on [0, 2π). Drawn from the swarm's seed and the number of disruptions so far, so that
        the same disruptions of the same swarm give the same bits. Goes through the inbox as `nudge` does: from
        any thread, also while the swarm runs.
        """
        if (fraction is None) == (agents is None):
            raise InvalidValue("give either the fraction of agents to disrupt, or the agents themselves")
        share = 0.0 if fraction is None else admit.real(fraction, "fraction", least=0.0, most=1.0)
        named = None if agents is None else np.unique(admit.agents(agents, len(self)))
        with self._lock:
            number = self._disruptions
            self._disruptions += 1
        rng = self._random(DISRUPTIONS, number)
        chosen = named
        if chosen is None:
            chosen = np.sort(rng.choice(len(self), round(share * len(self)), replace=False))
        self.nudge(chosen, rng.uniform(0.0, 2 * np.pi, len(chosen)))
        self._tell(Disrupted, agents=_fixed(chosen))
        return chosen

    def fail(self, agents: int | npt.ArrayLike) -> None:
        """Let agents fail: nobody senses them, they hold their phase and are left out of R.

        What the field of their neighbours is divided by stays as it was. Failing is a state of the swarm, not of
        its topology: it outlives a change of topology, and `restore` takes it back.

        Parameters
        ----------
        agents : int or array_like of int, shape (k,)
            Numbers of agents, from 0 to n - 1. Who has failed already stays so.

        Raises
        ------
        InvalidType, InvalidValue
            If there is no such agent; nobody has failed then.

        Notes
        -----
        From any thread; while another thread runs the swarm it waits for the current batch of ticks and takes
        effect between two ticks. A nudge still turns an agent that failed. Bitwise deterministic. O(k); 1 byte an
        agent once used.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.Swarm(emerge.Topology.star(5), emerge.Kuramoto(coupling=1.0), seed=1)
        >>> swarm.fail(0)
        >>> swarm.failed
        array([0])
        """
        chosen = admit.agents(agents, len(self))
        with self._lock:
            self._engine.mark_failed(chosen, True)
        self._tell(Failed, agents=_fixed(chosen))

    def restore(self, agents: int | npt.ArrayLike | None = None) -> None:
        """Take back agents that failed: they are sensed again and turn again, from the phase they held.

        Parameters
        ----------
        agents : int or array_like of int, shape (k,), optional
            Numbers of agents; by default all that have failed. Who has not failed stays as it is.

        Raises
        ------
        InvalidType, InvalidValue
            If there is no such agent; nobody is restored then.

        Notes
        -----
        From any thread, as `fail`.
        """
        chosen = self.failed if agents is None else admit.agents(agents, len(self))
        with self._lock:
            self._engine.mark_failed(chosen, False)
        self._tell(Restored, agents=_fixed(chosen))

    @property
    def failed(self) -> npt.NDArray[np.int64]:
        """Numbers of the agents that have failed, ascending: a copy."""
        failed = self._failed()
        return np.empty(0, np.int64) if failed is None else np.flatnonzero(failed)

    def _failed(self) -> npt.NDArray[np.uint8] | None:
        """Who has failed, as 0 and 1, or None if nobody ever has."""
        failed = np.empty(len(self), np.uint8)
        return failed if self._engine.read_failed(failed) else None

    def _random(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, purpose, number])

    # ---- keeping

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the swarm to one file, from which `load` goes on with the same bits.

        Parameters
        ----------
        path : path-like
            File to write; replaced as a whole if it exists. Written aside and renamed, so that nobody ever
            sees half of it.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is untouched.

        Notes
        -----
        The format is a versioned NumPy archive without pickled objects. `result` is not saved.
        """
        from . import checkpoint

        facts, arrays, topology, model = self._state()
        rows = topology._arrays()
        named, columns = model_facts(model)
        checkpoint.write(path, facts | named, arrays | columns | {f"topology_{name}": rows[name] for name in rows})

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None, model: Model | None = None) -> Swarm:
        """Load a swarm that `save` wrote.

        Parameters
        ----------
        path : path-like
            File to read.
        threads : int, optional
            As for `Swarm`: a property of this machine, so it is not in the file.
        model : Model, optional
            The model, if the swarm's had a function in it, which no file can hold; by default the one that was saved.

        Returns
        -------
        Swarm
            Goes on with the same bits as the one that was saved.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        CheckpointError
            If the file is no saved swarm, is damaged, or was written by a newer version.
        """
        from . import checkpoint

        workers = team.threads(threads)
        facts, arrays = checkpoint.read(path)
        prefix = "topology_"
        rows = {name.removeprefix(prefix): arrays[name] for name in arrays if name.startswith(prefix)}
        try:
            law = saved_model(facts, arrays) if model is None else _check_model(model)
            return _restored(facts, arrays, Topology._from_arrays(rows), workers, law)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
            raise CheckpointError(f"{path} is no saved swarm, or is damaged: {wrong}") from None

    def _state(self) -> tuple[dict[str, Any], Arrays, Topology, Model]:
        """Return what goes on: facts, arrays and topology of one moment between two ticks."""
        n = len(self)
        arrays: Arrays = {
            "phase": np.empty(n),
            "frequency": np.empty(n),
            "waiting": np.zeros(n, np.uint64),
            "displacement": np.empty(n),
        }
        with self._lock:
            arrays |= {name: np.empty(n) for name in ("velocity", "energy") if self._engine.has(name)}
            if self._adapt is not None:
                arrays["strengths"] = np.empty(self._topology.edge_ends)
            if self._engine.past_size:
                arrays["past"] = np.empty(self._engine.past_size)
            clock, nudged, tracked = self._engine.snapshot(**arrays)
            if not nudged:
                del arrays["waiting"]
            if not tracked:
                del arrays["displacement"]
            if len(failed := self.failed):
                arrays["failed"] = failed
            facts = {
                "clock": clock,
                "seed": self._seed,
                "disruptions": self._disruptions,
                "precision": self._precision,
            }
            if self._adapt is not None:
                facts["adapt"] = adaptive.facts(self._adapt)
            if self._past is not None:
                self._past.state(facts, arrays)
            stride = self._engine.stride()
            if stride is not None:
                facts["stride"], arrays["stride"] = stride
            return facts, arrays, self._topology, self._model

    def __reduce__(self) -> tuple[Any, ...]:
        facts, arrays, topology, model = self._state()
        return _restored, (facts, arrays, topology, self._threads, model)

    def __copy__(self) -> Swarm:
        facts, arrays, topology, model = self._state()
        return _restored(facts, arrays, topology, self._threads, model)


def _restored(facts: dict[str, Any], arrays: Arrays, topology: Topology, threads: int | None, model: Model) -> Swarm:
    """Make a swarm again from what `Swarm._state` told."""
    swarm = object.__new__(Swarm)
    swarm._threads = threads
    swarm._precision = _precision_of(facts.get("precision", "double"))
    swarm._seed = admit.count(facts["seed"], "seed", least=0)
    swarm._disruptions = admit.count(facts["disruptions"], "disruptions", least=0)
    origin, tick, dt, *drawn = facts["clock"]
    clock = (
        admit.real(origin, "time"),
        admit.count(tick, "tick", least=0),
        admit.real(dt, "dt", above=0.0),
        admit.count(drawn[0] if drawn else tick, "tick", least=0),
    )
    n = len(topology)
    swarm._past = restored_past(facts, arrays, topology)
    swarm._begin(
        topology, model, admit.vector(arrays["phase"], "phase", n), admit.vector(arrays["frequency"], "frequency", n)
    )
    waiting = arrays.get("waiting")
    if "failed" in arrays:
        swarm.fail(arrays["failed"])
    turned = admit.vector(arrays["displacement"], "displacement", n) if "displacement" in arrays else None
    swarm._engine.resume(clock, None if waiting is None else waiting.astype(np.uint64), turned)
    for name in ("velocity", "energy"):
        if swarm._engine.has(name):
            swarm._engine.write(name, admit.vector(arrays[name], name, n))
    if "adapt" in facts:
        law = adaptive.saved(facts["adapt"])
        swarm._learn(law, adaptive.strengths_of(arrays["strengths"], law, topology))
    if swarm._past is not None and swarm._past.dt is not None:
        swarm._past.resume(swarm._engine, swarm.phase, arrays["past"])
    if "stride" in facts:
        swarm._engine.set_stride(tuple(facts["stride"]), np.ascontiguousarray(arrays["stride"], np.float64))
    return swarm


def _fixed(agents: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a read-only copy, for an event."""
    copy = agents.copy()
    copy.flags.writeable = False
    return copy


def _check_model(value: object) -> Model:
    if not isinstance(value, Model):
        raise InvalidType(f"model must be a model such as emerge.Kuramoto(coupling=1.0), not {value!r}")
    return value


def _seed_of(seed: int | np.random.Generator | None) -> int:
    """Return the number that everything is drawn from."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    return admit.count(seed, "seed", least=0)


def _precision_of(value: object) -> Precision:
    if value == "double":
        return "double"
    if value == "single":
        return "single"
    raise InvalidValue(f"precision must be 'double' or 'single', not {value!r}")


def _within_reach(phase: Floats) -> Floats:
    """Take phases that are far from [0, 2π) near it; others stay as they are, to the bit."""
    return np.where(np.abs(phase) < 1e6, phase, np.mod(phase, 2 * np.pi))
