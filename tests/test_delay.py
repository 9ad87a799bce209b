"""Agents that sense late: the oracle, the same bits for all teams, pasts of all kinds, and what is refused."""

import copy
import itertools
import pickle

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge import _engine, observe
from emerge.clock import ManualClock

N, DT, TICKS = 600, 0.05, 7
DRAW = np.random.default_rng(8)
EDGES = DRAW.integers(0, N, (4 * N, 2))
WEIGHTS = DRAW.uniform(-0.5, 2.0, 4 * N)
STORED = emerge.Topology.random(N, degree=6, seed=2)
TOPOLOGIES = {
    "stored": STORED,
    "weighted": emerge.Topology.from_edges(EDGES, N, weights=WEIGHTS, directed=True),
    "complete": emerge.Topology.complete(N),
    "groups": emerge.Topology.groups([N // 3, N - N // 3], [[1.0, 0.3], [2.0, 0.5]]),
    "ring": emerge.Topology.ring(N, degree=6),
    "star": emerge.Topology.star(N),
}
for topology in TOPOLOGIES.values():  # what a graph keeps once it is used
    emerge.Swarm(topology, emerge.Kuramoto(1.0), seed=1).step()
LAWS = {
    "Kuramoto": (emerge.Kuramoto(1.3, lag=0.2), {"coupling": 1.3, "lag": 0.2}),
    "harmonics": (
        emerge.Kuramoto(0.7, 0.3, "weight", (1.0, -0.5, 0.25)),
        {"coupling": 0.7, "lag": 0.3, "harmonics": (1.0, -0.5, 0.25)},
    ),
    "noise": (emerge.Kuramoto(1.0, noise=0.3), {"coupling": 1.0, "noise": 0.3}),
    "energy": (emerge.Kuramoto(3.0, energy=emerge.Energy(0.1, 1.0, 0.4)), {"coupling": 3.0, "energy": (0.1, 1.0, 0.4)}),
    "SecondOrder": (
        emerge.SecondOrder(1.2, 0.1, inertia=0.5, damping=0.3),
        {"coupling": 1.2, "lag": 0.1, "inertia": 0.5, "damping": 0.3},
    ),
    "Forced": (
        emerge.Forced(0.5, strength=1.5, drive_frequency=3.0),
        {"coupling": 0.5, "strength": 1.5, "drive_frequency": 3.0},
    ),
    "HigherOrder": (
        emerge.HigherOrder(0.6, 1.1, -0.7),
        {"coupling": 0.6, "triadic": 1.1, "tetradic": -0.7},
    ),
}
DELAYS = {"whole": 3 * DT, "between": 3.37 * DT, "least": DT, "little": 1.4 * DT}
WAYS = [
    *((name, method) for name in ("Kuramoto", "harmonics", "Forced", "HigherOrder") for method in ("euler", "rk4")),
    *((name, "heun") for name in LAWS if name != "energy"),
    ("energy", "euler"),
    ("SecondOrder", "verlet"),
    ("SecondOrder", "semi-implicit"),
]


def delays_of(topology, seed=5):
    """One for each edge: some of none, some of whole ticks, most between."""
    rng = np.random.default_rng(seed)
    ticks = rng.uniform(1, 6, topology.edge_count)
    kind = rng.integers(0, 3, topology.edge_count)
    return DT * np.where(kind == 0, 0.0, np.where(kind == 1, np.rint(ticks), ticks))


def both(topology, each):
    """Delays of the oracle's directed edges."""
    return each if topology.directed else np.concatenate([each, each])


def swarm_of(topology, name="Kuramoto", delay=DELAYS["between"], threads=1, instruction_set=None, **more):
    before = _engine.instruction_set()
    _engine.use_instruction_set(instruction_set or before)
    try:
        phase, frequency = ways.start(len(topology))
        model, _ = LAWS[name]
        velocity = np.sin(7 * phase) if model._inertial else None
        given = {"phase": phase, "frequency": frequency, "velocity": velocity, "seed": 20, **more}
        return emerge.Swarm(topology, model, delay=delay, threads=threads, **given)
    finally:
        _engine.use_instruction_set(before)


def before(phase, rate, ago):
    return [np.exp(1j * (phase - rate * DT * k)) for k in range(ago, 0, -1)]


def truth(topology, name, method, late, rotates=False, ticks=TICKS):
    """The oracle's phases, of delays in ticks for its directed edges."""
    edges, weights = oracle.both_ways(topology)
    phase, frequency = ways.start(len(topology))
    _, facts = LAWS[name]
    state = [phase, np.sin(7 * phase)] if "inertia" in facts else [phase]
    rate = 0.0 if not rotates else state[1] if len(state) > 1 else frequency
    law = oracle.Late(edges, weights, frequency, **facts, late=late, dt=DT, seen=before(phase, rate, 12))
    key = int(np.random.SeedSequence([20, 2]).generate_state(1, np.uint64)[0])
    normal = (lambda tick: oracle.normals(key, tick, len(phase))) if "noise" in facts else None
    return law.go(method, state, ticks, normal)


def apart(swarm, state):
    """How far a swarm is from the oracle's state."""
    off = oracle.apart(swarm.phase, state[0])
    return off if len(state) == 1 else max(off, np.abs(swarm.velocity - state[1]).max())


def strength(topology):
    return np.bincount(oracle.both_ways(topology)[0][:, 0]).max() if topology.kind == "groups" else 1


# ---- against the oracle


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize(("name", "method"), WAYS)
def test_a_delay_in_common_is_that_of_the_oracle(name, method, delay):
    late = np.full(2 * STORED.edge_count, DELAYS[delay] / DT)
    swarm = swarm_of(STORED, name, DELAYS[delay])
    swarm.step(TICKS, dt=DT, method=method)
    state = truth(STORED, name, method, late)
    assert apart(swarm, state) < 1e-12
    assert swarm.coherence == pytest.approx(oracle.coherence(state[0]), abs=1e-12)
    assert swarm.check() == ()
    assert apart(swarm, truth(STORED, name, method, late + 0.1)) > 1e-5
    assert apart(swarm, truth(STORED, name, method, 0 * late)) > 1e-3


@pytest.mark.parametrize("name", ["Kuramoto", "harmonics"])
@pytest.mark.parametrize("kind", TOPOLOGIES)
def test_a_delay_in_common_serves_every_kind_of_topology(kind, name):
    topology = TOPOLOGIES[kind]
    late = np.full(len(oracle.both_ways(topology)[0]), 3.37)
    swarm = swarm_of(topology, name)
    swarm.step(TICKS, dt=DT, method="rk4")
    state = truth(topology, name, "rk4", late)
    assert apart(swarm, state) < 1e-12 * strength(topology)
    assert swarm._engine.coherence == pytest.approx(oracle.coherence(state[0]), abs=1e-11)
    assert swarm.check() == ()
    single = swarm_of(topology, name, precision="single")
    single.step(TICKS, dt=DT, method="rk4")
    assert apart(single, state) < 1e-6


@pytest.mark.parametrize("kind", ["stored", "weighted", "ring"])
@pytest.mark.parametrize(("name", "method"), WAYS)
def test_delays_of_edges_are_those_of_the_oracle(name, method, kind):
    topology = TOPOLOGIES[kind]
    each = delays_of(topology)
    swarm = swarm_of(topology, name, each)
    assert np.array_equal(swarm.delay, each)
    swarm.step(TICKS, dt=DT, method=method)
    state = truth(topology, name, method, both(topology, each) / DT)
    assert apart(swarm, state) < 1e-12
    assert swarm.check() == ()
    assert apart(swarm, truth(topology, name, method, both(topology, each[::-1]) / DT)) > 1e-3


def test_delays_of_whole_ticks_read_one_tick_each():
    each = DT * DRAW.integers(1, 9, STORED.edge_count)
    for method in ("euler", "heun", "rk4"):
        swarm = swarm_of(STORED, "Kuramoto", each)
        swarm.step(TICKS, dt=DT, method=method)
        assert apart(swarm, truth(STORED, "Kuramoto", method, both(STORED, each) / DT)) < 1e-12


# ---- the same bits


@pytest.mark.parametrize("kind", ["stored", "complete", "groups", "ring", "edges"])
@pytest.mark.parametrize("method", ["euler", "heun", "rk4"])
def test_teams_batches_and_instruction_sets_show_nothing(kind, method):
    n = ways.N
    each = kind == "edges"
    topology = ways.TOPOLOGIES["random" if each or kind == "stored" else kind](n)
    delay = delays_of(topology) if each else DELAYS["between"]
    first = swarm_of(topology, "harmonics", delay)
    first.step(6, dt=DT, method=method)
    for threads, isa in [(t, None) for t in ways.TEAMS[1:]] + [(2, isa) for isa in ways.INSTRUCTION_SETS]:
        other = swarm_of(topology, "harmonics", delay, threads, isa)
        for ticks in (1, 2, 3):
            other.step(ticks, dt=DT, method=method)
        assert np.array_equal(other.phase, first.phase), (threads, isa)


@pytest.mark.parametrize("each", [False, True])
def test_tiles_show_nothing(each):
    plain, cut = (emerge.Topology.random(ways.N, degree=5, seed=2) for _ in range(2))
    cut._graph.cut(2)
    phases = []
    for topology in (plain, cut):
        swarm = swarm_of(
            topology, "Kuramoto", delays_of(topology) if each else DELAYS["between"], 2, precision="single"
        )
        swarm.step(6, dt=DT, method="heun")
        phases.append(swarm.phase)
    assert np.array_equal(*phases)


@pytest.mark.parametrize("kind", TOPOLOGIES)
def test_no_delay_is_no_delay_to_the_bit(kind):
    topology = TOPOLOGIES[kind]
    phases = []
    for delay in ({}, {"delay": 0}, {"delay": np.zeros(topology.edge_count)}):
        phase, frequency = ways.start(N)
        swarm = emerge.Swarm(topology, LAWS["Kuramoto"][0], phase=phase, frequency=frequency, **delay)
        assert np.all(swarm.delay == 0.0)
        swarm.step(TICKS, dt=DT, method="heun")
        assert swarm._engine.past_size == 0
        phases.append(swarm.phase)
    assert np.array_equal(phases[0], phases[1])
    assert np.array_equal(phases[0], phases[2])


def test_edges_without_delay_sense_the_present():
    """Two parts: where no edge has a delay, it is as if nobody had."""
    topology = emerge.Topology.from_edges([(0, 1), (2, 3)])
    start = {"phase": [0.0, 1.0, 0.5, 2.5]}
    swarm = emerge.Swarm(topology, emerge.Kuramoto(1.0), delay=[0.0, 2 * DT], **start)
    plain = emerge.Swarm(topology, emerge.Kuramoto(1.0), **start)
    for one in (swarm, plain):
        one.step(20, dt=DT, method="rk4")
    assert np.array_equal(swarm.phase[:2], plain.phase[:2])
    assert np.abs(swarm.phase[2:] - plain.phase[2:]).min() > 1e-3


SAVED = {
    "stored": (TOPOLOGIES["stored"], DELAYS["between"]),
    "complete": (TOPOLOGIES["complete"], DELAYS["whole"]),
    "weighted": (TOPOLOGIES["weighted"], delays_of(TOPOLOGIES["weighted"])),
    "ring": (TOPOLOGIES["ring"], delays_of(TOPOLOGIES["ring"])),
}


@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.parametrize("after", [0, 1, 9])
@pytest.mark.parametrize("recorded", [False, True])
def test_saved_pickled_and_copied_it_goes_on_with_the_same_bits(kind, after, recorded, tmp_path):
    topology, delay = SAVED[kind]
    rng = np.random.default_rng(4)
    past = (np.arange(30) * DT, rng.uniform(0, 6, (30, N))) if recorded else "rotation"
    swarm = swarm_of(topology, "SecondOrder", delay, history=past)
    if after:
        swarm.step(after, dt=DT, method="heun")
    swarm.nudge([0, 5], 0.3)
    swarm.fail([7])
    swarm.save(tmp_path / "swarm.npz")
    others = [emerge.Swarm.load(tmp_path / "swarm.npz"), pickle.loads(pickle.dumps(swarm)), copy.copy(swarm)]
    swarm.step(12, dt=DT, method="heun")
    for other in others:
        other.step(12, dt=DT, method="heun")
        assert np.array_equal(other.phase, swarm.phase)
        assert np.array_equal(other.velocity, swarm.velocity)
        assert np.array_equal(other.delay, swarm.delay)
        assert other.check() == ()


# ---- what was before


def test_free_rotation_goes_on():
    late = np.full(2 * STORED.edge_count, 3.37)
    for name in ("Kuramoto", "SecondOrder"):
        swarm = swarm_of(STORED, name, history="rotation")
        swarm.step(TICKS, dt=DT, method="heun")
        assert apart(swarm, truth(STORED, name, "heun", late, rotates=True)) < 1e-12
        assert apart(swarm, truth(STORED, name, "heun", late)) > 1e-3


@pytest.mark.parametrize("kind", ["stored", "edges"])
def test_a_recorded_past_goes_on_with_what_it_was_recorded_from(kind):
    """To the bit, but for what it means to record phases instead of unit vectors."""
    delay = delays_of(STORED) if kind == "edges" else DELAYS["between"]
    first = swarm_of(STORED, "Kuramoto", delay)
    history = first.run(20 * DT, dt=DT, method="heun", record=observe.Phases(every=DT)).history
    recorded = history["phases"]
    _, frequency = ways.start(N)
    for past in (recorded, (recorded.time + 17.0, recorded.value)):
        second = emerge.Swarm(STORED, LAWS["Kuramoto"][0], frequency=frequency, delay=delay, history=past)
        assert np.array_equal(second.phase, np.mod(np.unwrap(recorded.value, axis=0)[-1], 2 * np.pi))
        rest = copy.copy(first)
        for swarm in (rest, second):
            swarm.step(30, dt=DT, method="heun")
        assert oracle.apart(rest.phase, second.phase) < 1e-12
    other = emerge.Swarm(STORED, LAWS["Kuramoto"][0], frequency=frequency, delay=delay, phase=first.phase)
    other.step(30, dt=DT, method="heun")
    assert oracle.apart(rest.phase, other.phase) > 1e-3


def error_of(method, ticks, delay, settled):
    """How far a pair is from what it is with short ticks, when a smooth past goes on for two units of time."""
    times, phases = settled
    swarm = emerge.Swarm(
        emerge.Topology.complete(2), emerge.Kuramoto(1.0), frequency=[0.9, 0.2], delay=delay, history=(times, phases)
    )
    swarm.run(2.0, dt=2.0 / ticks, method=method)
    return swarm.phase


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
@pytest.mark.parametrize("each", [False, True])
def test_orders_of_methods_are_kept_where_the_past_is_smooth(method, order, each):
    delay = 0.7123 if not each else [0.7123]
    pair = emerge.Topology.complete(2)
    swarm = emerge.Swarm(pair, emerge.Kuramoto(1.0), frequency=[0.9, 0.2], delay=delay, phase=[0.0, 2.0])
    history = swarm.run(5.0, dt=1 / 4096, method="rk4", record=observe.Phases(every=1 / 4096)).history["phases"]
    settled = history.time[-8192:], history.value[-8192:]
    exact = error_of("rk4", 1024, delay, settled)
    ticks = np.array([16, 32, 64])
    errors = [oracle.apart(error_of(method, int(count), delay, settled), exact) for count in ticks]
    slope = -np.polyfit(np.log(ticks), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.35)


# ---- what is done to agents meanwhile


def pair(delay=10 * DT, **more):
    return emerge.Swarm(emerge.Topology.complete(2), emerge.Kuramoto(0.5), phase=[0.0, 1.0], delay=delay, **more)


@pytest.mark.parametrize("delay", [10 * DT, [10 * DT]])
@pytest.mark.parametrize("how", ["nudge", "assign", "fail"])
def test_what_is_done_to_an_agent_is_sensed_late(how, delay):
    calm, poked = pair(delay), pair(delay)
    for swarm in (calm, poked):
        swarm.step(25, dt=DT)
    if how == "nudge":
        poked.nudge(1, 1.0)
    elif how == "assign":
        poked.phase = np.add(poked.phase, [0.0, 1.0])
    else:
        poked.fail(1)
    for swarm in (calm, poked):
        swarm.step(10, dt=DT)
    assert poked.phase[0] == calm.phase[0]
    for swarm in (calm, poked):
        swarm.step(dt=DT)
    assert abs(poked.phase[0] - calm.phase[0]) > 1e-3


def test_nudges_amid_a_run_are_kept_in_the_past():
    one, two = pair(), pair()
    one.step(dt=DT), two.step(dt=DT)
    one.run(40 * DT, dt=DT, until=lambda s: s.nudge(1, 0.1), every=DT)
    for _ in range(40):
        two.nudge(1, 0.1)
        two.step(dt=DT)
    two.nudge(1, 0.1)
    assert np.array_equal(one.phase, two.phase)


@pytest.mark.parametrize("kinds", [("stored", "complete"), ("complete", "groups", "ring", "stored")])
def test_topologies_may_take_turns_under_a_delay_in_common(kinds):
    """The past is that of agents, and outlives any topology."""
    swarm = swarm_of(TOPOLOGIES[kinds[0]])
    edges, weights = oracle.both_ways(TOPOLOGIES[kinds[0]])
    phase, frequency = ways.start(N)
    law = oracle.Late(edges, weights, frequency, coupling=1.3, lag=0.2, dt=DT, seen=before(phase, 0.0, 12))
    for kind in kinds:
        topology = TOPOLOGIES[kind]
        swarm.topology = topology
        swarm.step(3, dt=DT, method="heun")
        law.edges, law.weights = oracle.both_ways(topology)
        law.late = np.full(len(law.edges), 3.37)
        law.seen = law.seen[:-1] if len(law.seen) > 12 else law.seen
        phase = law.go("heun", [phase], 3)[0]
        assert oracle.apart(swarm.phase, phase) < 1e-11
        assert swarm.check() == ()


def test_with_delays_of_edges_weights_may_change_and_edges_may_not():
    each = delays_of(STORED)
    swarm = swarm_of(STORED, delay=each)
    swarm.step(3, dt=DT)
    with pytest.raises(emerge.InvalidValue, match="can change its weights but not its edges"):
        swarm.topology = STORED.rewired(0.1, seed=1)
    with pytest.raises(emerge.InvalidValue, match="can change its weights but not its edges"):
        swarm.topology = emerge.Topology.ring(N)
    assert swarm.topology is STORED
    heavier = emerge.Topology.from_edges(STORED.edges, N, weights=np.linspace(0.5, 2.0, STORED.edge_count))
    swarm.topology = heavier
    swarm.step(4, dt=DT)
    assert np.array_equal(swarm.delay, each)
    assert swarm.check() == ()
    other = swarm_of(heavier, delay=each)
    other.step(7, dt=DT)
    assert oracle.apart(swarm.phase, other.phase) > 1e-4


def test_models_may_be_exchanged_within_a_run():
    """Also for one with more channels of field; triads, which nobody can sense late, are refused there too."""
    swarm = swarm_of(STORED)
    simplicial = emerge.Simplicial(1.0, [(0, 1, 2)])

    def exchange(one):
        with pytest.raises(emerge.InvalidValue, match="triads cannot be sensed late"):
            one.model = simplicial
        one.model = LAWS["harmonics"][0]

    swarm.run(10 * DT, dt=DT, method="heun", until=exchange, every=3 * DT)
    assert swarm.model is LAWS["harmonics"][0]
    assert swarm.check() == ()
    for delay in (DELAYS["between"], delays_of(STORED)):
        with pytest.raises(emerge.InvalidValue, match="triads cannot be sensed late"):
            emerge.Swarm(STORED, simplicial, delay=delay)


@pytest.mark.parametrize("delay", [DELAYS["between"], "each"])
def test_neither_pulses_nor_weights_that_adapt_are_sensed_late(delay):
    delay = delays_of(STORED) if delay == "each" else delay
    for model in (emerge.IntegrateAndFire(2.0, 1.0, 0.1), emerge.PhaseResponse(0.1)):
        with pytest.raises(emerge.InvalidValue, match=f"{type(model).__name__} has agents that fire"):
            emerge.Swarm(STORED, model, delay=delay)
        with pytest.raises(emerge.InvalidValue, match="pulses cannot be heard late"):
            swarm_of(STORED, delay=delay).model = model
    with pytest.raises(emerge.InvalidValue, match="give adapt= or delay=, not both"):
        emerge.Swarm(STORED, emerge.Kuramoto(1.0), delay=delay, adapt=emerge.Hebbian(rate=0.1))
    assert emerge.Swarm(STORED, emerge.Kuramoto(1.0), delay=0.0, adapt=emerge.Hebbian(rate=0.1)).step() is None


def test_a_model_in_python_sees_what_is_late():
    seen = []

    def rates(phase, field, frequency, parameters):
        seen.append(field)
        return frequency + 1.3 * field.imag

    phase, frequency = ways.start(N)
    swarm = emerge.Swarm(STORED, emerge.Custom(rates), phase=phase, frequency=frequency, delay=DELAYS["between"])
    swarm.step(TICKS, dt=DT)
    edges, weights = oracle.both_ways(STORED)
    law = oracle.Late(edges, weights, frequency, coupling=1.3, dt=DT, seen=before(phase, 0.0, 12))
    law.late = np.full(len(edges), 3.37)
    assert oracle.apart(swarm.phase, law.go("euler", [phase], TICKS)[0]) < 1e-12
    assert len(seen) == TICKS


def test_a_live_loop_senses_late():
    swarm, same = pair(), pair()
    clock = ManualClock()
    with swarm.live(interval=DT, clock=clock) as live:
        for _ in range(30):
            clock.advance(DT)
            live.settle(timeout=10)
        with pytest.raises(emerge.InvalidValue, match="triads cannot be sensed late"):
            live.change(model=emerge.Simplicial(1.0, [(0, 1, 2)]))
    same.step(swarm.metrics().ticks, dt=DT)
    assert np.array_equal(swarm.phase, same.phase)
    with pytest.raises(emerge.InvalidValue, match="need schedule='barrier'"):
        swarm.live(interval=DT, schedule="gossip")


def test_memory_is_told():
    swarm = swarm_of(STORED, delay=100 * DT)
    bare = swarm.nbytes
    swarm.step(dt=DT)
    assert swarm.nbytes - bare >= 16 * N * 100
    each = swarm_of(TOPOLOGIES["ring"], delay=np.full(3 * N, 10 * DT))
    assert each.nbytes > swarm_of(TOPOLOGIES["ring"]).nbytes


@pytest.mark.parametrize(("ticks", "kept"), [([1000, 7], 3), ([1000, 7.5], 7)])
def test_few_agents_take_no_more_than_their_ticks(ticks, kept):
    """Beside the longest delay some ticks more are kept, those between ticks in one line an agent."""
    pair = emerge.Topology.from_edges([(0, 1), (1, 2)])
    swarm = emerge.Swarm(pair, emerge.Kuramoto(1.0), phase=0.0, delay=DT * np.array(ticks))
    swarm.step(1, dt=DT)
    assert swarm._engine.past_size == 2 * len(pair) * (1000 + kept)


# ---- what is refused


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"delay": -1.0}, "delay must be finite, and 0 or at least dt, but it is -1"),
        ({"delay": np.nan}, "delay must be finite"),
        ({"delay": np.inf}, "delay must be finite"),
        ({"delay": [0.0, -0.5, 1.0]}, "but entry 1 is -0.5"),
        (
            {"delay": [1.0, 2.0]},
            r"must be one number or have shape \(3,\), one for each edge, in the order of topology",
        ),
        ({"delay": [[1.0, 2.0, 3.0]]}, r"must be one number or have shape \(3,\)"),
        ({"delay": "late"}, "delay must be real numbers"),
        ({"delay": 1.0, "history": "forgotten"}, "history must be 'constant', 'rotation', a Series or"),
        ({"delay": 1.0, "history": 3.0}, r"'rotation', a Series or \(times, phases\), not float"),
        (
            {"delay": 1.0, "history": emerge.History([], [])},
            r"not History: give history\[\"phases\"\] of it, of observe.Phases",
        ),
        (
            {"delay": 1.0, "history": ([0.0, 0.5], np.zeros((2, 4)))},
            "must reach back as far as the longest delay, 1, not",
        ),
        ({"delay": 1.0, "history": ([1.0, 0.0], np.zeros((2, 4)))}, "at least two, finite and ascending"),
        ({"delay": 1.0, "history": ([0.0], np.zeros((1, 4)))}, "at least two, finite and ascending"),
        ({"delay": 1.0, "history": ([0.0, 2.0], np.zeros((2, 3)))}, r"must have shape \(2, 4\), times by agents"),
        ({"delay": 1.0, "history": ([0.0, 2.0], np.full((2, 4), np.nan))}, "phases of history must be finite"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(given, says):
    held = _engine.allocations()
    with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
        emerge.Swarm(emerge.Topology.grid(4), emerge.Kuramoto(1.0), phase=0.0, **given)
    assert _engine.allocations() == held


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"dt": 1.0}, r"delays must be 0 or at least dt = 1, and the shortest is 0\.5: choose a smaller dt"),
        ({"schedule": "gossip"}, "agents that sense late need schedule='barrier', not 'gossip'"),
        ({"schedule": "ordered"}, "need schedule='barrier', not 'ordered'"),
        ({"method": "dopri5"}, "method='dopri5' takes steps that are not ticks"),
        ({"dt": 1e-300}, "cannot be had: choose a larger dt"),
    ],
)
@pytest.mark.parametrize("delay", [0.5, [0.5, 0.0, 2.0]])
def test_ticks_that_cannot_serve_are_refused_and_nothing_is_built(how, says, delay):
    swarm = emerge.Swarm(emerge.Topology.grid(4), emerge.Kuramoto(1.0), phase=0.0, delay=delay)
    for do in (lambda: swarm.step(**how), lambda: swarm.run(50 * how.get("dt", 0.1), **{"dt": 0.1, **how})):
        with pytest.raises((emerge.InvalidValue, emerge.TooLarge), match=says):
            do()
    assert swarm._engine.past_size == 0
    assert swarm.time == 0.0
    swarm.step(dt=0.25)
    with pytest.raises(emerge.InvalidValue, match=r"dt must stay 0\.25 in a swarm that senses late, .* not 0\.1"):
        swarm.step(dt=0.1)
    swarm.step(dt=0.25)
    assert swarm.time == 0.5


@pytest.mark.parametrize(
    "wrong", [{"record": observe.Firings()}, {"record": observe.Phases([7])}, {"progress": 3}, {"until": 3}]
)
def test_a_run_that_is_refused_leaves_no_past(wrong):
    swarm = swarm_of(emerge.Topology.grid(4), delay=0.5)
    with pytest.raises((emerge.InvalidValue, emerge.InvalidType)):
        swarm.run(1.0, dt=0.1, **wrong)
    assert swarm._engine.past_size == 0
    swarm.phase = [3.0, 2.0, 1.0, 0.0]
    swarm.run(1.0, dt=0.05)
    other = emerge.Swarm(swarm.topology, swarm.model, phase=[3.0, 2.0, 1.0, 0.0], frequency=swarm.frequency, delay=0.5)
    other.run(1.0, dt=0.05)
    assert np.array_equal(swarm.phase, other.phase)


def test_lyapunov_refuses_them():
    with pytest.raises(emerge.InvalidValue, match="senses late cannot be brought back"):
        observe.lyapunov(pair(), 10.0)


def test_a_past_that_is_no_past_is_refused_by_the_engine():
    swarm = pair()
    wrong = [np.zeros(2)] * 3
    with pytest.raises(StopIteration):
        swarm._engine.set_past(5.0, None, wrong)
    with pytest.raises(emerge.InvalidValue, match="a past of 2 agents is needed, not of 3"):
        swarm._engine.set_past(5.0, None, itertools.repeat(np.zeros(3)))
    with pytest.raises(emerge.InvalidValue, match="for each end of a stored topology"):
        swarm._engine.set_past(5.0, np.zeros(7), wrong)
    assert swarm._engine.past_size == 0
    swarm.step(dt=DT)
    with pytest.raises(emerge.InvalidValue, match="has a past already"):
        swarm._engine.set_past(5.0, None, wrong)
    with pytest.raises(emerge.InvalidValue, match=r"the past is .* numbers, not 3"):
        swarm._engine.write_past(np.zeros(3))


def test_damaged_files_are_told(tmp_path):
    swarm = pair()
    swarm.step(3, dt=DT)
    swarm.save(tmp_path / "swarm.npz")
    with np.load(tmp_path / "swarm.npz") as archive:
        arrays = dict(archive)
    arrays["past"] = arrays["past"][:-1]
    np.savez(tmp_path / "swarm.npz", **arrays)
    with pytest.raises(emerge.CheckpointError, match="is damaged"):
        emerge.Swarm.load(tmp_path / "swarm.npz")
