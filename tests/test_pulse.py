"""Agents that fire: against the oracle's avalanches, to the bit, and what is refused."""

import copy
import itertools

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge import _engine, observe
from emerge.errors import InvalidValue, TooLarge

N = 600
DRAW = np.random.default_rng(4)
DRIVE, FREQUENCY = DRAW.uniform(1.5, 3.0, N), DRAW.uniform(3.0, 8.0, N)
EDGES, WEIGHTS = DRAW.integers(0, N, (4 * N, 2)), DRAW.uniform(-0.5, 2.0, 4 * N)
SPAN = 2.0

TOPOLOGIES = {
    "random": lambda: emerge.Topology.random(N, degree=6, seed=1),
    "directed": lambda: emerge.Topology.from_edges(EDGES, N, weights=WEIGHTS, directed=True),
    "ring": lambda: emerge.Topology.ring(N, degree=4),
    "grid": lambda: emerge.Topology.grid(20, 30),
    "groups": lambda: emerge.Topology.groups([100, 1, 300, 199], np.diag([0.5, 0.0, -0.1, 1.0]) + 0.1),
    "star": lambda: emerge.Topology.star(N),
}

LAWS = {
    "integrate": (lambda: emerge.IntegrateAndFire(2.0, 1.0, 0.02), {"drive": 2.0, "leak": 1.0, "strength": 0.02}),
    "weight": (
        lambda: emerge.IntegrateAndFire(2.0, 1.0, 0.2, "weight"),
        {"drive": 2.0, "leak": 1.0, "strength": 0.2, "normalize": "weight"},
    ),
    "linear": (
        lambda: emerge.IntegrateAndFire(DRIVE, 0.0, -0.02),
        {"drive": DRIVE, "leak": np.zeros(N), "strength": -0.02},
    ),
    "each": (
        lambda: emerge.IntegrateAndFire(DRIVE, DRIVE / 2, DRIVE / 90, "agents"),
        {"drive": DRIVE, "leak": DRIVE / 2, "strength": DRIVE / 90, "normalize": "agents"},
    ),
    "concave": (lambda: emerge.PhaseResponse(0.02), {"frequency": FREQUENCY, "strength": 0.02, "curve": "concave"}),
    "advance": (
        lambda: emerge.PhaseResponse(0.05, "advance"),
        {"frequency": FREQUENCY, "strength": 0.05, "curve": "advance"},
    ),
    "sine": (lambda: emerge.PhaseResponse(-0.05, "sine"), {"frequency": FREQUENCY, "strength": -0.05, "curve": "sine"}),
}


def phases(n=N):
    return np.random.default_rng(9).uniform(0, 2 * np.pi, n)


def swarm_of(kind, law, **how):
    model, _ = LAWS[law]
    return emerge.Swarm(TOPOLOGIES[kind](), model(), phase=phases(), frequency=FREQUENCY, **how)


def fired(swarm, span=SPAN, dt=0.1, **how):
    """Run, and return all firings."""
    seen = swarm.run(span, dt=dt, record=observe.Firings(), **how).history["firings"]
    return seen.time, seen.value


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("kind", TOPOLOGIES)
def test_against_the_oracle(kind, law):
    swarm = swarm_of(kind, law)
    facts = LAWS[law][1]
    edges, weights = oracle.both_ways(swarm.topology)
    phase, told = oracle.Fireflies(edges, weights, **facts).run(phases(), SPAN)
    time, agent = fired(swarm)
    assert oracle.apart(swarm.phase, phase) < 1e-11
    assert agent.tolist() == [one for _, one in told]
    assert np.abs(time - [when for when, _ in told]).max() < 1e-12
    assert len(agent) > N
    assert swarm.check() == ()
    free, _ = oracle.Fireflies(edges, weights, **{**facts, "strength": 0.0}).run(phases(), SPAN)
    assert oracle.apart(swarm.phase, free) > 1e-3


@pytest.mark.parametrize("law", LAWS)
def test_ticks_are_only_when_one_looks(law):
    """Whatever dt is, an agent fires when it fires; one tick may hold several of its firings."""
    runs = [(swarm := swarm_of("random", law), *fired(swarm, dt=dt)) for dt in (2.0, 0.5, 0.01)]
    for one, other in itertools.pairwise(runs):
        assert one[2].tolist() == other[2].tolist()
        assert np.abs(one[1] - other[1]).max() < 1e-12
        assert oracle.apart(one[0].phase, other[0].phase) < 1e-12


BIG = 9 * 512 + 77  # ten blocks


def big(kind, threads, isa=None, precision="double"):
    topology = {
        "random": lambda: emerge.Topology.random(BIG, degree=6, seed=1),
        "complete": lambda: emerge.Topology.complete(BIG),
        "ring": lambda: emerge.Topology.ring(BIG, degree=6),
        "weighted": lambda: emerge.Topology.from_edges(ways.SCATTERED % BIG, BIG, weights=ways.WEIGHTED, directed=True),
    }[kind]()
    strength = {"complete": 3e-3}.get(kind, 0.1)
    before = _engine.instruction_set()
    _engine.use_instruction_set(isa or before)
    try:
        model = emerge.IntegrateAndFire(2.0, 1.0, strength)
        return emerge.Swarm(topology, model, phase=phases(BIG), threads=threads, precision=precision)
    finally:
        _engine.use_instruction_set(before)


@pytest.mark.parametrize("kind", ["random", "complete", "ring", "weighted"])
def test_to_the_bit_for_any_team_any_batches_and_any_instruction_set(kind):
    ticks, dt = 6, 0.25
    first = big(kind, 1)
    time, agent = fired(first, ticks * dt, dt)
    assert len(agent) > BIG
    assert np.bincount(np.unique(time, return_inverse=True)[1]).max() > 3, "no avalanche"
    for threads, isa in [(threads, None) for threads in ways.TEAMS[1:]] + [(2, isa) for isa in ways.INSTRUCTION_SETS]:
        other = big(kind, threads, isa)
        parts = [fired(other, dt, dt) for _ in range(ticks)]
        assert np.array_equal(other.phase, first.phase), (threads, isa)
        assert np.array_equal(np.concatenate([part for part, _ in parts]), time)
        assert np.array_equal(np.concatenate([part for _, part in parts]), agent)
    assert big(kind, 1).phase.tolist() != first.phase.tolist()


def test_members_meet_in_large_rounds():
    """All fire at once, which one worker does not do alone; and the others wait for it in small ones."""
    swarm = big("random", 1)
    swarm.phase = 0.0
    time, agent = fired(swarm, 1.0, 0.5)
    assert agent.tolist() == list(range(BIG))
    assert np.ptp(time) == 0.0
    assert time[0] == pytest.approx(np.log(2.0), abs=1e-15)
    for threads in ways.TEAMS[1:]:
        other = big("random", threads)
        other.phase = 0.0
        fired(other, 1.0, 0.5)
        assert np.array_equal(other.phase, swarm.phase)


@pytest.mark.parametrize("law", ["integrate", "concave", "each"])
@pytest.mark.parametrize("how", ["file", "copy"])
def test_kept_halfway_it_goes_on_with_the_same_bits(law, how, tmp_path):
    whole, half = (swarm_of("directed", law, seed=1) for _ in range(2))
    for swarm in (whole, half):
        swarm.nudge(3, 0.5)
    whole.step(20, dt=0.05)
    half.step(7, dt=0.05)
    half.save(tmp_path / "half.npz")
    again = emerge.Swarm.load(tmp_path / "half.npz") if how == "file" else copy.deepcopy(half)
    assert again.model == half.model
    for swarm in (again, half):
        swarm.step(13, dt=0.05)
        assert np.array_equal(swarm.phase, whole.phase)


class TestAvalanches:
    """What one pulse does, by hand."""

    def test_absorbed(self):
        """0 fires, and pushes 1 over the edge, which pushes 2, which 0 does not hear any more."""
        law = emerge.IntegrateAndFire(1.0, 0.0, 0.25)
        swarm = emerge.Swarm(emerge.Topology.complete(4), law, phase=2 * np.pi * np.array([0.95, 0.8, 0.6, 0.1]))
        time, agent = fired(swarm, 0.1, 0.1)
        assert agent.tolist() == [0, 1, 2]
        assert time == pytest.approx(0.05, abs=1e-15)
        assert swarm.phase / (2 * np.pi) == pytest.approx([0.05, 0.05, 0.05, 0.95], abs=1e-15)  # 0.15 + 3/4, and 0.05

    def test_too_weak_nobody_is_absorbed(self):
        law = emerge.IntegrateAndFire(1.0, 0.0, 0.1)
        swarm = emerge.Swarm(emerge.Topology.complete(4), law, phase=2 * np.pi * np.array([0.95, 0.8, 0.6, 0.1]))
        assert fired(swarm, 0.1, 0.1)[1].tolist() == [0, 1]  # 1: 0.85 + 0.1, and by itself before the tick is over

    def test_who_hears_whom(self):
        """An edge (i, j) says that i senses j: so j's pulse is heard by i."""
        web = emerge.Topology.from_edges([(1, 0)], 2, directed=True)
        for fires, after in ((0, [0.05, 0.45]), (1, [0.3, 0.05])):
            turns = [0.95, 0.2] if fires == 0 else [0.2, 0.95]
            swarm = emerge.Swarm(web, emerge.IntegrateAndFire(1.0, 0.0, 0.15), phase=2 * np.pi * np.array(turns))
            swarm.step(dt=0.1)
            assert swarm.phase / (2 * np.pi) == pytest.approx(after, abs=1e-15)

    def test_a_pulse_that_makes_all_fire_ends(self):
        swarm = emerge.Swarm(emerge.Topology.complete(50), emerge.IntegrateAndFire(2.0, 1.0, 5.0), seed=1)
        _, agent = fired(swarm, 1.0, 0.5)
        assert sorted(agent[:50].tolist()) == list(range(50))
        assert len(agent) in (50, 100)

    def test_who_has_failed_neither_fires_nor_hears(self):
        swarm = swarm_of("random", "integrate")
        swarm.fail([5, 17])
        held = swarm.phase[[5, 17]]
        _, agent = fired(swarm)
        assert not {5, 17} & set(agent.tolist())
        assert swarm.phase[[5, 17]].tolist() == held.tolist()
        edges, weights = oracle.both_ways(swarm.topology)
        law = oracle.Fireflies(edges, weights, **LAWS["integrate"][1])
        assert oracle.apart(swarm.phase, law.run(phases(), SPAN, failed=(5, 17))[0]) < 1e-11
        swarm.restore()
        assert {5, 17} <= set(fired(swarm)[1].tolist())

    def test_a_nudge_is_taken_at_the_end_of_a_tick_and_wraps_without_a_pulse(self):
        law = emerge.IntegrateAndFire(1.0, 0.0, 0.2)
        swarm = emerge.Swarm(emerge.Topology.complete(2), law, phase=[6.0, 1.0])
        swarm.nudge(0, 0.5)
        _, agent = fired(swarm, 0.01, 0.01)
        assert agent.size == 0
        assert swarm.phase == pytest.approx([6.5 % (2 * np.pi) + 0.02 * np.pi, 1.0 + 0.02 * np.pi])

    def test_how_far_agents_turn(self):
        """Pulses turn them too, and firing is a whole turn."""
        swarm = swarm_of("random", "integrate")
        swarm.track()
        _, agent = fired(swarm)
        turned = phases() + swarm.displacement
        assert oracle.apart(turned, swarm.phase) < 1e-10
        assert np.array_equal(np.floor(turned / (2 * np.pi) + 1e-9).astype(int), np.bincount(agent, minlength=N))

    def test_what_changes_between_ticks_counts(self):
        """Phase, frequency, model and topology are assigned: whoever begins anew with them has the same bits."""
        swarm = swarm_of("ring", "sine")
        swarm.step(10, dt=0.1)
        model = emerge.PhaseResponse(0.1, "advance", normalize="weight")
        for part, value in (
            ("phase", phases()[::-1].copy()),
            ("frequency", FREQUENCY * 2),
            ("model", model),
            ("topology", TOPOLOGIES["directed"]()),
            ("topology", TOPOLOGIES["groups"]()),
            ("model", emerge.Kuramoto(1.0)),
            ("model", model),
        ):
            setattr(swarm, part, value)
            fresh = emerge.Swarm(swarm.topology, swarm.model, phase=swarm.phase, frequency=swarm.frequency)
            for one in (swarm, fresh):
                one.step(5, dt=0.1)
                one.step(3, dt=0.02)
            assert np.array_equal(swarm.phase, fresh.phase), part
            assert swarm.check() == ()

    def test_exchanged_within_a_run(self):
        """From pulses to pull and back while it runs: what was recorded before stays."""
        models = [emerge.Kuramoto(1.0), emerge.IntegrateAndFire(3.0, 1.0, 0.1)]

        def exchange(swarm):
            swarm.model = models[round(swarm.time / 0.5) % 2]

        swarm = swarm_of("random", "integrate")
        seen = swarm.run(2.0, dt=0.1, until=exchange, every=0.5, record=observe.Firings(every=0.4)).history["firings"]
        assert ((seen.time % 1.0 < 0.5) | (seen.time % 1.0 > 1 - 1e-9)).sum() == 0
        assert len(seen) > N
        swarm.model = models[1]
        with pytest.raises(InvalidValue, match="leave out method="):
            swarm.run(1.0, dt=0.1, method="rk4")
        swarm.model = models[0]
        with pytest.raises(InvalidValue, match="leave out method="):
            swarm.run(1.0, dt=0.1, method="rk4", until=lambda swarm: setattr(swarm, "model", models[1]))

    def test_who_would_leave_reach_is_named(self):
        swarm = emerge.Swarm(emerge.Topology.ring(5), emerge.PhaseResponse(0.1), frequency=[1, 1, 1e9, 1, 1], phase=1.0)
        with pytest.raises(emerge.Diverged, match="agent 2 left"):
            swarm.step(dt=0.1)
        assert swarm.phase[2] == 1.0

    def test_backwards_and_still(self):
        law = emerge.PhaseResponse(1.2, "sine")
        swarm = emerge.Swarm(emerge.Topology.complete(3), law, frequency=[-1.0, 0.0, 1.0], phase=[0.5, 5.5, 6.0])
        _, agent = fired(swarm, 1.0, 1.0)
        assert agent.tolist() == [2, 1]  # 1 is pushed on by sin 5.5 = -0.7, and 0 turns back over 0
        swarm = emerge.Swarm(emerge.Topology.complete(2), law, frequency=[-1.0, 0.0], phase=[0.5, 5.0])
        assert fired(swarm, 10.0, 2.5)[1].size == 0
        assert swarm.phase == pytest.approx([(0.5 - 10) % (2 * np.pi), 5.0])


class TestFirings:
    def test_as_what_a_run_waits_for(self):
        swarm = swarm_of("random", "integrate")
        result = swarm.run(10.0, dt=0.01, until=observe.Firings(every=0.01).above(500))
        assert result.reason == "reached"
        again = swarm_of("random", "integrate")
        before = fired(again, result.time - 0.01, 0.01)[1].size
        assert before < 500 <= before + fired(again, 0.01, 0.01)[1].size

    def test_from_a_time_on(self):
        whole = fired(swarm_of("random", "integrate"))
        late = swarm_of("random", "integrate").run(SPAN, dt=0.1, record=observe.Firings(after=0.5)).history["firings"]
        assert late.time.tolist() == whole[0][whole[0] > 0.5].tolist()

    def test_more_than_fit(self):
        swarm = swarm_of("random", "integrate")
        with pytest.raises(TooLarge, match="more than 100 firings"):
            swarm.run(SPAN, dt=0.1, record=observe.Firings(most=100))
        assert swarm.check() == ()
        kept = swarm.result.history["firings"]  # what could be recorded is there
        assert 100 <= len(kept) < 200
        assert swarm.result.time == swarm.time > 0
        count = fired(swarm_of("random", "integrate"))[1].size
        exact = swarm_of("random", "integrate").run(SPAN, dt=0.1, record=observe.Firings(most=count))
        assert len(exact.history["firings"]) == count

    def test_nothing_is_kept_that_nobody_asked_for(self):
        swarm = swarm_of("random", "integrate", threads=1)
        swarm.step(dt=0.1)
        fired(swarm)
        held = swarm.nbytes
        swarm.step(100, dt=0.1)
        assert swarm.nbytes == held
        assert swarm._engine.take_firings()[0].size == 0

    def test_others_beside_them(self):
        record = [observe.Firings(), observe.OrderParameter(every=0.5), "coherence"]
        history = swarm_of("random", "integrate").run(SPAN, dt=0.1, record=record).history
        assert len(history["firings"]) > N
        assert len(history["order_parameter"]) == 5
        assert len(history["coherence"]) == 21

    def test_of_others_they_are_refused(self):
        swarm = emerge.Swarm(emerge.Topology.ring(5), emerge.Kuramoto(1.0), seed=1)
        with pytest.raises(InvalidValue, match="agents of Kuramoto do not fire"):
            swarm.run(1.0, record=observe.Firings())
        with pytest.raises(InvalidValue, match="do not fire"):
            swarm._engine.keep_firings(5)
        swarm = swarm_of("ring", "integrate")
        with pytest.raises(InvalidValue, match="once in a run"):
            swarm.run(1.0, record={"one": observe.Firings(), "other": observe.Firings()})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: emerge.IntegrateAndFire(1.0, 1.0, 0.1), "drive must be greater than leak"),
        (lambda: emerge.IntegrateAndFire([2.0, 1.0], [1.0, 1.5], 0.1), "1 is not, of 1.5"),
        (lambda: emerge.IntegrateAndFire([2.0, 3.0], [1.0, 1.0, 1.0], 0.1), "2 agents, and leak of 3"),
        (lambda: emerge.IntegrateAndFire(2.0, -1.0, 0.1), "leak"),
        (lambda: emerge.IntegrateAndFire(2.0, 1.0, np.inf), "strength"),
        (lambda: emerge.IntegrateAndFire(2.0, 1.0, 0.1, noise=0.1), "cannot have noise="),
        (lambda: emerge.IntegrateAndFire(2.0, 1.0, 0.1, noise=[0.1, 0.2]), "cannot have noise="),
        (lambda: emerge.PhaseResponse(0.1, energy=emerge.Energy(1.0, 1.0, 1.0)), "cannot have energy="),
        (lambda: emerge.IntegrateAndFire(emerge.varying([(0, 2.0)]), 1.0, 0.1), "drive of agents .* cannot vary"),
        (lambda: emerge.PhaseResponse(0.1, "cosine"), "curve must be one of 'concave', 'advance', 'sine'"),
        (lambda: emerge.PhaseResponse(0.1, bend=0.0), "bend"),
        (lambda: emerge.PhaseResponse(0.1, bend=101.0), "bend must be at most 100"),
        (lambda: emerge.PhaseResponse(0.1, "sine", bend=2.0), "bend is for curve='concave'"),
        (lambda: emerge.IntegrateAndFire(2.0, 1.0, 0.1, "degree"), "normalize must be one of"),
    ],
)
def test_bad_parameters_are_refused(make, said):
    with pytest.raises(InvalidValue, match=said):
        make()


@pytest.mark.parametrize(
    "how", [{"method": "rk4"}, {"method": "dopri5"}, {"schedule": "gossip"}, {"schedule": "ordered"}]
)
def test_methods_and_other_schedules_are_refused(how):
    swarm = swarm_of("ring", "integrate")
    for run in (swarm.step, lambda **how: swarm.run(1.0, **how), swarm.live):
        with pytest.raises(InvalidValue, match="leave out method=, and use schedule='barrier'"):
            run(**how)
    assert swarm.time == 0.0


def test_rates_are_not_waited_for_and_copies_not_compared():
    swarm = swarm_of("ring", "integrate")
    with pytest.raises(InvalidValue, match="no rates that could become equal"):
        swarm.run(1.0, until=emerge.locked(1e-6))
    with pytest.raises(InvalidValue, match="a model without pulses"):
        observe.lyapunov(swarm, 1.0)


def test_a_live_loop_ticks_them():
    swarm = swarm_of("ring", "integrate")
    clock = emerge.ManualClock()
    with swarm.live(interval=0.1, clock=clock) as live:
        clock.advance(0.35)
        live.change(model=emerge.IntegrateAndFire(3.0, 1.0, 0.02)).result(timeout=30)
        with pytest.raises(InvalidValue, match="has no coupling"):
            live.change(coupling=1.0)
    assert swarm.time > 0


def test_repr_and_equality():
    assert repr(emerge.IntegrateAndFire(2.0, 1.0, 0.003)) == (
        "IntegrateAndFire(drive=2.0, leak=1.0, strength=0.003, normalize='none')"
    )
    assert emerge.PhaseResponse(0.1) == emerge.PhaseResponse(0.1, "concave") != emerge.PhaseResponse(0.1, "sine")
