"""Observables: each against a slow oracle and a closed form, on arrays and while a swarm runs."""

import copy
import pickle
import signal
import threading

import numpy as np
import oracle
import pytest

import emerge
from emerge import _engine, links, observe
from emerge.series import Settling

RNG = np.random.default_rng(1)
N = 300
PHASE = RNG.uniform(0, 2 * np.pi, N)
SERIES = RNG.uniform(0, 2 * np.pi, (7, N))
GROUPS = RNG.permutation(np.arange(N) % 5)
FAILED = np.array([3, 50, 51, 299])
LIVE = np.setdiff1d(np.arange(N), FAILED)
TURN = 2 * np.pi

TOPOLOGIES = {
    "ring": emerge.Topology.ring(N, degree=6),
    "torus": emerge.Topology.torus(20, 15),
    "complete": emerge.Topology.complete(N),
    "star": emerge.Topology.star(N),
    "groups": emerge.Topology.groups([100, 1, 199], [[0.5, -1, 0], [1, 1, 0.25], [0, 2, 0]]),
    "random": emerge.Topology.random(N, degree=4, seed=2),
    "weighted": emerge.Topology.from_edges(
        RNG.integers(0, N - 5, (900, 2)), N, weights=RNG.normal(0, 1, 900), directed=True
    ),
    "alone": emerge.Topology.random(N, degree=0, seed=1),
}


def swarm(n=N, topology=None, **more):
    web = emerge.Topology.small_world(n, degree=6, rewire=0.2, seed=1) if topology is None else topology
    more.setdefault("frequency", np.random.default_rng(2).normal(0, 0.5, n))
    return emerge.Swarm(web, emerge.Kuramoto(coupling=1.5), seed=3, **more)


def rows(topology, failed=()):
    """Edges and weights between agents that have not failed, from what the topology shows to users."""
    edges, weights = oracle.both_ways(topology)
    here = ~np.isin(edges, failed).any(axis=1)
    return edges[here, 0], edges[here, 1], weights[here]


class TestOrderParameter:
    @pytest.mark.parametrize("moment", [1, 2, 3, 17])
    def test_against_the_mean_of_unit_vectors(self, moment):
        seen = observe.order_parameter(SERIES, moment)
        assert seen == pytest.approx(np.mean(np.exp(1j * moment * SERIES), axis=1), abs=1e-14)
        assert [observe.order_parameter(one, moment) for one in SERIES] == seen.tolist()
        assert abs(seen - np.mean(np.exp(1j * (moment + 1) * SERIES), axis=1)).max() > 1e-3

    def test_weights_and_failures(self):
        k = RNG.integers(1, 9, N)
        told = observe.order_parameter(PHASE, weights=k, failed=FAILED)
        assert told == pytest.approx(np.average(np.exp(1j * PHASE[LIVE]), weights=k[LIVE]), abs=1e-14)
        assert observe.order_parameter(PHASE, failed=range(N)) == 0
        assert observe.order_parameter(PHASE, failed=[]) == observe.order_parameter(PHASE)

    def test_it_is_the_coherence_of_a_swarm(self):
        one = swarm()
        assert abs(observe.order_parameter(one.phase)) == pytest.approx(one.coherence, abs=1e-15)
        one.fail(FAILED)
        assert abs(observe.order_parameter(one.phase, failed=one.failed)) == pytest.approx(one.coherence, abs=1e-15)

    def test_random_phases(self):
        """A13: the mean of R is sqrt(pi / 4N), that of N R² is 1."""
        r = abs(observe.order_parameter(np.random.default_rng(5).uniform(0, TURN, (5000, 400))))
        assert r.mean() == pytest.approx(np.sqrt(np.pi / 1600), rel=0.03)
        assert 400 * np.mean(r**2) == pytest.approx(1, rel=0.03)

    def test_phases_may_be_far_away(self):
        far = PHASE + TURN * 2.0**20
        assert observe.order_parameter(far, 3) == pytest.approx(observe.order_parameter(PHASE, 3), abs=1e-8)


class TestPatterns:
    def test_groups(self):
        seen = observe.group_order(SERIES, GROUPS)
        for g in range(5):
            assert seen[:, g] == pytest.approx(np.exp(1j * SERIES[:, g == GROUPS]).mean(axis=1), abs=1e-14)
        left = observe.group_order(PHASE, GROUPS, failed=[*FAILED, *np.flatnonzero(GROUPS == 4)])
        assert left[4] == 0
        for g in range(4):
            assert left[g] == pytest.approx(np.exp(1j * PHASE[LIVE][g == GROUPS[LIVE]]).mean(), abs=1e-14)

    @pytest.mark.parametrize("kind", TOPOLOGIES)
    @pytest.mark.parametrize("failed", [(), FAILED], ids=["all live", "failed"])
    def test_local_order_and_link_order(self, kind, failed, monkeypatch):
        monkeypatch.setattr(links, "ENDS_AT_A_TIME", 64)  # so that rows are added piece by piece
        web = TOPOLOGIES[kind]
        i, j, w = rows(web, failed)
        field = np.zeros(N, complex)
        np.add.at(field, i, w * np.exp(1j * PHASE[j]))
        strength = np.zeros(N)
        np.add.at(strength, i, np.abs(w))
        expected = np.divide(np.abs(field), strength, out=np.zeros(N), where=strength > 0)
        seen = observe.local_order(PHASE, web, failed=failed)
        assert seen == pytest.approx(expected, abs=1e-13)
        assert ((seen >= 0) & (seen <= 1 + 1e-12)).all()
        cosine = np.sum(w * np.cos(PHASE[j] - PHASE[i])) / np.abs(w).sum() if w.size else 0.0
        assert observe.link_order(PHASE, web, failed=failed) == pytest.approx(cosine, abs=1e-13)
        several = observe.local_order(SERIES, web, failed=failed)
        assert np.array_equal(several[3], observe.local_order(SERIES[3], web, failed=failed))
        assert observe.link_order(SERIES, web)[3] == observe.link_order(SERIES[3], web)

    def test_local_order_tells_what_r_does_not(self):
        ring = emerge.Topology.ring(N)
        twisted = TURN * np.arange(N) / N
        assert abs(observe.order_parameter(twisted)) < 1e-14
        assert observe.local_order(twisted, ring) == pytest.approx(np.cos(TURN / N), abs=1e-12)
        assert observe.link_order(twisted, ring) == pytest.approx(np.cos(TURN / N), abs=1e-12)

    @pytest.mark.parametrize("q", [-7, -1, 0, 1, 3, 40])
    def test_winding(self, q):
        noise = np.random.default_rng(3).uniform(-0.3, 0.3, N)
        assert observe.winding_number(q * TURN * np.arange(N) / N + noise) == q
        assert observe.winding_number(np.mod(q * TURN * np.arange(N) / N, TURN)) == q
        assert observe.winding_number(np.array([np.arange(N), 2 * np.arange(N)]) * TURN / N).tolist() == [1, 2]

    def test_splay(self):
        even = np.random.default_rng(3).permutation(TURN * np.arange(N) / N) + 0.3
        assert observe.splay(even) == pytest.approx(1, abs=1e-12)
        assert max(abs(observe.order_parameter(even, m)) for m in range(1, N)) < 1e-12
        assert observe.splay(np.full(N, 2.0)) == pytest.approx(0, abs=1e-15)
        assert observe.splay([1.0]) == 1
        assert observe.splay(np.tile(even[:100], (2, 1)))[0] == observe.splay(even[:100])
        random = observe.splay(np.random.default_rng(4).uniform(0, TURN, 100_000))
        assert random == pytest.approx(1 - 1 / np.e, abs=0.005)

    def test_two_clusters_have_no_coherence_and_are_no_splay(self):
        two = np.pi * (np.arange(N) % 2)
        assert abs(observe.order_parameter(two)) < 1e-14
        assert observe.splay(two) == pytest.approx(1 / (N - 1), abs=1e-12)

    def test_splay_of_the_living(self):
        assert observe.splay(PHASE, failed=FAILED) == observe.splay(PHASE[LIVE])
        assert observe.splay(PHASE, failed=range(N)) == 1


class TestOverTime:
    def test_phase_locking(self):
        agents = [4, 0, 9]
        seen = observe.phase_locking(SERIES, agents)
        for a in range(3):
            for b in range(3):
                gap = SERIES[:, agents[a]] - SERIES[:, agents[b]]
                assert seen[a, b] == pytest.approx(abs(np.exp(1j * gap).mean()), abs=1e-14)
        assert observe.phase_locking(SERIES)[4, 9] == pytest.approx(seen[0, 2], abs=1e-14)
        held = SERIES[:, :1] + [0.0, 1.0, 2.0]
        assert observe.phase_locking(held) == pytest.approx(np.ones((3, 3)), abs=1e-14)

    def test_link_coherence(self):
        web = TOPOLOGIES["random"]
        expected = [abs(np.exp(1j * (SERIES[:, i] - SERIES[:, j])).mean()) for i, j in web.edges]
        assert observe.link_coherence(SERIES, web) == pytest.approx(np.mean(expected), abs=1e-14)
        assert observe.link_coherence(SERIES[:, :1] + PHASE, web) == pytest.approx(1, abs=1e-14)
        assert observe.link_coherence(SERIES, TOPOLOGIES["alone"]) == 0

    def test_metastability_and_chimera_index(self):
        z = observe.group_order(SERIES, GROUPS)
        r = abs(z)
        times, groups = r.shape
        variances = [sum((r[t, g] - r[:, g].mean()) ** 2 for t in range(times)) / (times - 1) for g in range(groups)]
        assert observe.metastability(z) == observe.metastability(r) == pytest.approx(np.mean(variances), rel=1e-12)
        variances = [sum((r[t, g] - r[t].mean()) ** 2 for g in range(groups)) / (groups - 1) for t in range(times)]
        assert observe.chimera_index(z) == observe.chimera_index(r) == pytest.approx(np.mean(variances), rel=1e-12)

    def test_a_chimera_is_no_metastability(self):
        chimera = np.tile([1.0, 0.2], (9, 1))
        assert observe.chimera_index(chimera) == pytest.approx(0.32)
        assert observe.metastability(chimera) < 1e-30
        breathing = np.tile(np.arange(9.0)[:, None] / 9, 2)
        assert observe.chimera_index(breathing) == 0
        assert observe.metastability(breathing) == pytest.approx(np.var(breathing[:, 0], ddof=1))

    def test_displacement_and_frequencies(self):
        time = np.arange(0, 100, 0.25)
        speed = np.array([0.0, 3.0, -7.0, 3.001])
        turned = observe.displacement(np.mod(time[:, None] * speed + [1, 2, 3, 4], TURN))
        assert turned == pytest.approx(time[:, None] * speed, abs=1e-9)
        frequency = observe.effective_frequency(time, turned)
        assert frequency == pytest.approx(speed, abs=1e-12)
        assert observe.frequency_clusters(frequency, 0.01).tolist() == [1, 2, 0, 2]
        assert observe.frequency_clusters(frequency, 1e-6).tolist() == [1, 2, 0, 3]
        assert observe.frequency_clusters([1.0], 0).tolist() == [0]

    def test_plateau(self):
        time = np.arange(0, 10, 0.1)
        value = np.exp(-time)
        settled = observe.plateau(time, value, tolerance=0.01, window=2)
        spans = np.exp(-(time - 2)) - np.exp(-time)
        assert settled == pytest.approx(time[np.argmax((spans <= 0.01) & (time > 1.99))])
        assert observe.plateau(time, value, tolerance=1e-9, window=2) is None
        assert observe.plateau(time, value, tolerance=1, window=20) is None
        assert observe.plateau(time, np.ones((100, 3)), tolerance=0, window=2) == pytest.approx(2.0)
        moving = np.column_stack([np.ones(100), time])
        assert observe.plateau(time, moving, tolerance=0.5, window=2) is None
        assert observe.plateau(time, np.exp(1j * time), tolerance=1e-12, window=2) == pytest.approx(2.0)

    def test_settling_keeps_no_more_than_a_window(self):
        settling = Settling(0.0, 5.0)
        for k in range(1000):
            settling.reached(float(k), k)
        assert len(settling._seen) == 6


PAIRS = {
    "order_parameter": (observe.OrderParameter, lambda s, phase: observe.order_parameter(phase)),
    "moment": (lambda **k: observe.OrderParameter(3, **k), lambda s, phase: observe.order_parameter(phase, 3)),
    "weights": (
        lambda **k: observe.OrderParameter(weights=np.arange(N), **k),
        lambda s, phase: observe.order_parameter(phase, weights=np.arange(N)),
    ),
    "group_order": (lambda **k: observe.GroupOrder(GROUPS, **k), lambda s, phase: observe.group_order(phase, GROUPS)),
    "local_order": (observe.LocalOrder, lambda s, phase: observe.local_order(phase, s.topology)),
    "link_order": (observe.LinkOrder, lambda s, phase: observe.link_order(phase, s.topology)),
    "winding_number": (observe.WindingNumber, lambda s, phase: observe.winding_number(phase)),
    "splay": (observe.Splay, lambda s, phase: observe.splay(phase)),
    "some": (lambda **k: observe.Phases([9, 4], **k), lambda s, phase: phase[:, [9, 4]]),
    "phase_locking": (
        lambda **k: observe.PhaseLocking([9, 4, 7], **k),
        lambda s, phase: observe.phase_locking(phase, [9, 4, 7]),
    ),
    "link_coherence": (observe.LinkCoherence, lambda s, phase: observe.link_coherence(phase, s.topology)),
    "metastability": (
        lambda **k: observe.Metastability(GROUPS, **k),
        lambda s, phase: observe.metastability(observe.group_order(phase, GROUPS)),
    ),
    "chimera_index": (
        lambda **k: observe.ChimeraIndex(GROUPS, **k),
        lambda s, phase: observe.chimera_index(observe.group_order(phase, GROUPS)),
    ),
}
"""Observers, and what their function makes of the phases that were recorded at the same times."""

TO_ROUNDING = {"weights", "phase_locking", "link_coherence", "metastability", "chimera_index"}
"""Whose sums are added in another order while a swarm runs."""


class TestRecording:
    @pytest.mark.parametrize("name", PAIRS)
    def test_what_is_streamed_is_what_the_function_makes_of_the_phases(self, name):
        make, function = PAIRS[name]
        one = swarm()
        when = {"every": 0.3, "after": 0.1}
        history = one.run(4.0, record={"it": make(**when), "all": observe.Phases(**when)}).history
        phases = history["all"].value
        assert phases.shape == (14, N)
        expected = function(one, phases)
        if name in TO_ROUNDING:
            assert history["it"].value == pytest.approx(expected, abs=1e-14)
        else:
            assert np.array_equal(history["it"].value, expected)
        times = history["all"].time
        assert np.array_equal(history["it"].time, times[[0, -1]] if make().sums_up else times)
        assert not np.array_equal(function(one, phases * [*range(N)]), expected)

    def test_each_has_its_own_interval(self):
        record = {
            "fine": observe.OrderParameter(every=0.02),
            "coarse": observe.OrderParameter(2, every=0.3),
            "usual": observe.Splay(),
            "late": observe.Phases([1], every=0.25, after=0.6),
            "never": observe.Phases([1], every=1.0, after=9.0),
        }
        one = swarm()
        one.step(7)
        history = one.run(2.0, record=record).history
        assert history["fine"].time == pytest.approx(0.07 + 0.02 * np.arange(101))
        assert history["coarse"].time == pytest.approx(0.07 + 0.3 * np.arange(7))
        assert len(history["usual"]) == 101
        assert history["late"].time == pytest.approx(0.07 + 0.6 + 0.25 * np.arange(6))
        assert len(history["never"]) == 0
        assert len(history) == 0

    def test_the_first_sample_is_the_start_and_the_last_the_end(self):
        one = swarm()
        start = one.phase
        history = one.run(1.0, record=[observe.Phases(every=0.5)]).history
        assert np.array_equal(history["phases"].value[0], start)
        assert np.array_equal(history["phases"].value[-1], one.phase)

    def test_with_the_coherence_of_every_tick(self):
        one, other = swarm(), swarm()
        history = one.run(1.0, record=["coherence", observe.OrderParameter(every=0.01)]).history
        assert abs(history["order_parameter"].value) == pytest.approx(history.coherence, abs=1e-14)
        assert np.array_equal(history["order_parameter"].time, history.time)
        assert np.array_equal(history["coherence"].value, history.coherence)
        assert np.array_equal(other.run(1.0, record="coherence").history.coherence, history.coherence)
        assert np.array_equal(one.phase, other.phase)

    def test_a_name_that_was_not_recorded(self):
        history = swarm().run(0.1, record=observe.Splay(every=0.1)).history
        with pytest.raises(KeyError, match=r"'r', but 'splay'"):
            history["r"]
        with pytest.raises(KeyError, match="coherence"):
            history["coherence"]
        assert swarm().run(0.1, record=[]).history is None

    def test_batches_threads_and_listeners_show_nothing(self):
        record = {name: make(every=0.07) for name, (make, _) in PAIRS.items()} | {
            "turned": observe.Displacement(every=0.13),
            "speed": observe.EffectiveFrequency(every=0.5),
        }
        seen = []
        for threads, slow in ((1, False), (3, False), (2, True)):
            one = swarm(threads=threads)
            if slow:
                one._engine.handicap(0, 300_000, True)  # so that batches end elsewhere
            with one.events.subscribe(emerge.Ticked, every=0.05) as inbox:
                result = one.run(2.0, record=record, until=lambda s: False, every=0.11 if slow else None)
            assert len(inbox) > 0
            seen.append(result.history)
        for history in seen[1:]:
            for name in record:
                assert np.array_equal(history[name].value, seen[0][name].value), name
                assert np.array_equal(history[name].time, seen[0][name].time), name

    def test_neighbours_are_those_of_the_moment(self):
        one = swarm()
        other = emerge.Topology.ring(N, degree=8)

        def swap(seen):
            if seen.time > 0.45:
                seen.topology = other

        first = one.topology
        history = one.run(1.0, record=[observe.LocalOrder(every=0.1), observe.Phases(every=0.1)], until=swap, every=0.1)
        history = history.history
        for k, (phase, local) in enumerate(zip(history["phases"].value, history["local_order"].value, strict=True)):
            assert np.array_equal(local, observe.local_order(phase, first if k <= 5 else other)), k

    def test_who_has_failed_is_left_out(self):
        one = swarm()
        one.fail(FAILED)
        record = [make(every=1.0) for make, _ in list(PAIRS.values())[:1] + list(PAIRS.values())[3:6]]
        record += [observe.Splay(every=1.0)]
        history = one.run(1.0, record=record).history
        for name, expected in {
            "order_parameter": observe.order_parameter(one.phase, failed=FAILED),
            "group_order": observe.group_order(one.phase, GROUPS, failed=FAILED),
            "local_order": observe.local_order(one.phase, one.topology, failed=FAILED),
            "link_order": observe.link_order(one.phase, one.topology, failed=FAILED),
            "splay": observe.splay(one.phase, failed=FAILED),
        }.items():
            assert np.array_equal(history[name].value[-1], expected), name

    def test_an_interrupted_run_keeps_what_was_recorded(self):
        one = swarm()

        def interrupt(now):
            if now.time > 0.5:
                signal.raise_signal(signal.SIGINT)

        record = {"r": observe.OrderParameter(every=0.1), "locked": observe.PhaseLocking([0, 1], every=0.1)}
        with pytest.raises(KeyboardInterrupt):
            one.run(1000.0, record=record, progress=interrupt)
        history = one.result.history
        assert len(history["r"]) == one.result.ticks // 10 + 1
        assert history["locked"].time[1] == history["r"].time[-1]

    def test_memory_of_totals_does_not_grow_with_time(self):
        one = swarm()
        from emerge.record import Recorder

        recorder = Recorder(one, {"it": observe.Metastability(GROUPS, every=0.01)}, 0.01, 1)
        for tick in range(100):
            recorder.take(tick)
        (recording,) = recorder._recordings.values()
        assert (len(recording._times), len(recording._values)) == (2, 0)

    def test_nothing_hangs_on_names(self):
        z = observe.OrderParameter
        with pytest.raises(emerge.InvalidValue, match="give a dict"):
            swarm().run(1.0, record=[z(), z(2)])
        assert set(swarm().run(1.0, record={"a": z(), "b": z(2)}).history.series) == {"a", "b"}


class TestWaiting:
    def test_above(self):
        one = swarm(frequency=0.0, topology=emerge.Topology.complete(N))
        r2 = observe.OrderParameter(2, every=0.2)
        with one.events.subscribe(emerge.Converged) as inbox:
            result = one.run(50.0, until=r2.above(0.9), record={"r2": r2})
            told = inbox.wait(timeout=10)
        assert result.reason == "reached"
        r = abs(result.history["r2"].value)
        assert r[-1] >= 0.9 > r[:-1].max()
        assert result.ticks == 20 * (len(r) - 1)
        assert str(told.target) == "order_parameter ≥ 0.9"

    def test_below(self):
        one = swarm(phase=1.0, topology=emerge.Topology.complete(N))
        one.model = emerge.Kuramoto(coupling=-1.0)
        result = one.run(100.0, until=observe.OrderParameter(every=0.5).below(0.2))
        assert result.reason == "reached"
        assert one.coherence <= 0.2
        assert result.ticks > 50

    def test_settled_as_plateau_tells(self):
        one, again = swarm(frequency=0.0), swarm(frequency=0.0)
        link = observe.LinkOrder(every=0.1)
        result = one.run(100.0, until=link.settled(1e-3, 2.0))
        recorded = again.run(100.0, record=[link]).history["link_order"]
        settled = observe.plateau(recorded.time, recorded.value, tolerance=1e-3, window=2.0)
        assert result.reason == "reached"
        assert result.time == settled
        assert result.ticks > 200

    def test_each_of_several_values_must_be_there(self):
        one = swarm(frequency=0.0, topology=emerge.Topology.complete(N))
        result = one.run(100.0, until=observe.LocalOrder(every=0.1).above(0.99))
        assert result.reason == "reached"
        assert observe.local_order(one.phase, one.topology).min() >= 0.99

    def test_totals_too(self):
        pair = emerge.Swarm(
            emerge.Topology.complete(2), emerge.Kuramoto(coupling=1.0), frequency=[0, 0.5], phase=[0, 2]
        )
        result = pair.run(200.0, until=observe.LinkCoherence(every=0.5).settled(1e-3, 20.0))
        assert result.reason == "reached"
        assert 2000 < result.ticks < 20_000

    def test_the_run_may_say_how_often(self):
        link = observe.LinkOrder()
        one = swarm(frequency=0.0, topology=emerge.Topology.complete(N))
        assert one.run(50.0, until=link.above(0.9), every=0.35).ticks % 35 == 0
        with pytest.raises(emerge.InvalidValue, match="told twice"):
            one.run(50.0, until=observe.LinkOrder(every=0.1).above(0.9), every=0.35)

    def test_after(self):
        one = swarm(phase=1.0, frequency=0.0)
        result = one.run(10.0, until=observe.OrderParameter(every=1.0, after=2.5).above(0.9))
        assert (result.reason, result.ticks) == ("reached", 250)
        assert one.run(1.0, until=observe.OrderParameter(every=0.1, after=2.5).above(0.9)).reason == "duration"

    def test_it_is_judged_before_the_first_tick_and_at_the_end(self):
        one = swarm(phase=1.0, frequency=0.0)
        assert one.run(1.0, until=observe.OrderParameter().above(0.9)).ticks == 0
        result = swarm(phase=0.0, frequency=0.0, topology=emerge.Topology.complete(N)).run(
            0.25, until=observe.Displacement(every=0.1).settled(0.0, 0.25)
        )
        assert (result.reason, result.ticks) == ("reached", 25)

    def test_never(self):
        assert swarm().run(1.0, until=observe.OrderParameter().above(1.1)).reason == "duration"


def unwrapped(one, ticks, dt=0.01, coupling=1.5):
    """How far agents turn in some Euler ticks, by the oracle."""
    edges, weights = oracle.both_ways(one.topology)
    phase, turned = one.phase, np.zeros(len(one))
    for _ in range(ticks):
        step = dt * oracle.rates(phase, one.frequency, edges, weights, coupling=coupling)
        phase, turned = np.mod(phase + step, TURN), turned + step
    return turned


class TestDisplacement:
    def test_against_the_oracle(self):
        one = swarm(frequency=np.linspace(-30, 30, N))
        expected = unwrapped(one, 500)
        one.track()
        assert not one.displacement.any()
        one.step(500)
        assert np.abs(expected).max() > 20 * TURN
        assert one.displacement == pytest.approx(expected, abs=1e-10)

    @pytest.mark.parametrize("schedule", ["barrier", "ordered", "gossip"])
    def test_it_agrees_with_the_phase(self, schedule):
        one = swarm(frequency=np.linspace(-300, 300, N), threads=2)
        before = one.phase
        one.track()
        one.step(300, schedule=schedule)
        one.nudge([1, 2], [3.0, -3.0])
        one.step(1, schedule=schedule)
        one.nudge([1], 0.5)  # waits, and counts already
        assert oracle.apart(before + one.displacement, one.phase) < 1e-11
        assert oracle.apart(before, one.phase) > 1

    def test_nudges_count_and_assignment_does_not(self):
        one = swarm(frequency=0.0, topology=TOPOLOGIES["alone"])
        one.nudge(5, 1.0)  # before it counts
        one.track()
        one.nudge([6, 7], [1.0, 3 * np.pi + 0.5])
        assert one.displacement[5:8] == pytest.approx([0, 1, 0.5 - np.pi])
        one.step(2)
        one.phase = 1.0
        one.nudge(6, 2.0)
        one.step(2)
        assert one.displacement[5:8] == pytest.approx([0, 3, 0.5 - np.pi], abs=1e-14)

    def test_whoever_failed_stays(self):
        one = swarm(frequency=2.0)
        one.track()
        one.fail(FAILED)
        one.step(100)
        assert not one.displacement[FAILED].any()
        assert np.all(one.displacement[LIVE] != 0)

    def test_whoever_left_reach_stays(self):
        frequency = np.ones(N)
        frequency[7] = 1e300
        one = swarm(frequency=frequency, topology=TOPOLOGIES["alone"])
        one.track()
        with pytest.raises(emerge.Diverged):
            one.step()
        assert one.displacement == pytest.approx(np.where(np.arange(N) == 7, 0, 0.01), abs=1e-15)

    def test_tracking_changes_nothing_else(self):
        one, two = swarm(), swarm()
        one.track()
        one.step(100), two.step(100)
        assert np.array_equal(one.phase, two.phase)
        assert one.nbytes == two.nbytes + 8 * N
        assert one.check() == ()

    def test_the_same_bits_in_any_batches_teams_and_instruction_sets(self):
        n = 3000
        seen = []
        chosen = _engine.instruction_set()
        try:
            for name in _engine.instruction_sets():
                _engine.use_instruction_set(name)
                for threads, pieces in ((1, [60]), (3, [1, 9, 50])):
                    one = swarm(n, frequency=np.linspace(-99, 99, n), threads=threads)
                    one.track()
                    for ticks in pieces:
                        one.step(ticks)
                    seen.append(one.displacement)
        finally:
            _engine.use_instruction_set(chosen)
        assert all(np.array_equal(seen[0], other) for other in seen[1:])

    def test_it_goes_on_after_save_load_pickle_and_copy(self, tmp_path):
        one = swarm(frequency=9.0)
        one.track()
        one.step(50)
        one.nudge(3, 0.7)
        one.save(tmp_path / "swarm.npz")
        others = [emerge.Swarm.load(tmp_path / "swarm.npz"), pickle.loads(pickle.dumps(one)), copy.copy(one)]
        one.step(50)
        for other in others:
            other.step(50)
            assert np.array_equal(other.displacement, one.displacement)
        before = swarm()
        before.save(tmp_path / "before.npz")
        with pytest.raises(emerge.InvalidValue, match="track"):
            emerge.Swarm.load(tmp_path / "before.npz").displacement  # noqa: B018

    def test_track_again_changes_nothing(self):
        one = swarm()
        one.track()
        one.step(10)
        turned = one.displacement
        one.track()
        assert np.array_equal(one.displacement, turned)
        one.displacement[:] = 0  # a copy
        assert np.array_equal(one.displacement, turned)

    def test_it_may_begin_while_another_thread_runs(self):
        one = swarm(frequency=1.0, topology=TOPOLOGIES["alone"])
        token = emerge.CancelToken()
        thread = threading.Thread(target=lambda: one.run(1e6, cancel=token))
        thread.start()
        one.track()
        while one.displacement[0] == 0:
            pass
        token.cancel()
        thread.join(30)
        assert np.ptp(one.displacement) < 1e-9

    def test_effective_frequency_is_exact_at_any_interval(self):
        one = swarm(frequency=np.linspace(-200, 200, N))
        expected = unwrapped(one, 500) / 5
        result = one.run(5.0, record={"fast": observe.EffectiveFrequency(every=5.0), "turned": observe.Displacement()})
        fast, turned = result.history["fast"], result.history["turned"]
        assert fast.value == pytest.approx(expected, abs=1e-9)
        assert np.array_equal(fast.value, observe.effective_frequency(turned.time, turned.value))
        assert fast.time.tolist() == [0.0, 5.0]

    def test_effective_frequency_of_two_locked_and_a_beat(self):
        """A2: beyond locking two agents drift apart at sqrt(Δω² − K²); Euler's method is off by O(dt)."""
        pair = emerge.Swarm(
            emerge.Topology.complete(2),
            emerge.Kuramoto(coupling=1.0, normalize="agents"),
            frequency=[1.0, -1.0],
            phase=[0.0, 0.0],
        )
        result = pair.run(2000.0, dt=0.01, record=[observe.EffectiveFrequency(after=100.0)])
        slow, fast = np.sort(result.history["effective_frequency"].value)
        assert fast - slow == pytest.approx(np.sqrt(3), abs=0.01)
        assert fast + slow == pytest.approx(0, abs=1e-9)
        once = pair.run(1.0, record=[observe.EffectiveFrequency(after=1.0)]).history["effective_frequency"]
        assert np.isnan(once.value).all()


def chaotic(n=10, coupling=1.1):
    """Kuramoto's model with evenly spaced frequencies: phase chaos (Popovych, Maistrenko and Tass 2005)."""
    frequency = -1 + (2 * np.arange(n) + 1) / n
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    return emerge.Swarm(emerge.Topology.complete(n), model, frequency=frequency, seed=1)


def tangent(one, ticks, dt, seed=0):
    """The largest exponent relative to a common turn, by the linearised Euler map along the trajectory."""
    n, coupling = len(one), one.model.coupling
    phase, frequency = one.phase, one.frequency
    v = np.random.default_rng(seed).standard_normal(n)
    growth = 0.0
    for _ in range(ticks):
        v = v - v.mean()
        size = np.sqrt(np.mean(v**2))
        growth += np.log(size)
        v = v / size
        gap = phase[None, :] - phase[:, None]
        pull = coupling / n * np.cos(gap)
        v = v + dt * (pull @ v - pull.sum(axis=1) * v)
        phase = phase + dt * (frequency + coupling / n * np.sin(gap).sum(axis=1))
    v = v - v.mean()
    return (growth + np.log(np.sqrt(np.mean(v**2))) - np.log(_start(n, seed))) / (ticks * dt)


def _start(n, seed):
    v = np.random.default_rng(seed).standard_normal(n)
    return np.sqrt(np.mean((v - v.mean()) ** 2))


class TestLyapunov:
    def test_free_agents(self):
        free = emerge.Swarm(emerge.Topology.ring(50), emerge.Kuramoto(coupling=0.0), frequency=PHASE[:50], seed=1)
        assert observe.lyapunov(free, 50.0) == pytest.approx(0, abs=1e-8)
        assert observe.lyapunov(free, 50.0, relative=False) == pytest.approx(0, abs=1e-8)

    def test_a_locked_swarm_returns_at_the_rate_of_its_slowest_mode(self):
        web = emerge.Topology.small_world(40, degree=6, rewire=0.3, seed=4)
        laplacian = np.diag(web.degree) - web.to_scipy().toarray()
        slowest = 0.5 * np.sort(np.linalg.eigvalsh(laplacian))[1]
        locked = emerge.Swarm(web, emerge.Kuramoto(coupling=0.5, normalize="none"), phase=1.0)
        exact = np.log(1 - 0.01 * slowest) / 0.01
        seen = observe.lyapunov(locked, 50.0, after=50.0, interval=1.0)
        assert seen == pytest.approx(exact, abs=1e-6)
        assert seen == pytest.approx(-slowest, rel=0.01)
        assert observe.lyapunov(locked, 50.0, after=50.0, relative=False) == pytest.approx(0, abs=1e-6)

    def test_a_grid_at_rest_returns_as_its_linearised_equation_does(self):
        """The slowest of the modes s² m + s d + K λ = 0 of the Laplacian; inertia makes them swing."""
        web = emerge.Topology.grid(3, 4)
        laplacian = np.diag(web.degree) - web.to_scipy().toarray()
        inertia, damping = np.linspace(0.5, 1.5, 12), np.linspace(1.5, 0.5, 12)
        model = emerge.SecondOrder(coupling=0.7, normalize="none", inertia=inertia, damping=damping)
        flow = np.block(
            [[np.zeros((12, 12)), np.eye(12)], [-0.7 * laplacian / inertia[:, None], -np.diag(damping / inertia)]]
        )
        slowest = np.sort(np.linalg.eigvals(flow).real)[-2]  # the last is 0, all turning alike
        grid = emerge.Swarm(web, model, phase=1.0)
        seen = observe.lyapunov(grid, 800.0, dt=0.02, after=100.0, method="rk4")
        assert seen == pytest.approx(slowest, rel=0.01)

    def test_energy_is_refused(self):
        weary = emerge.Kuramoto(1.0, energy=emerge.Energy(1.0, 1.0, 1.0))
        with pytest.raises(emerge.InvalidValue, match="without energy="):
            observe.lyapunov(emerge.Swarm(emerge.Topology.ring(5), weary), 1.0)

    def test_chaos_as_the_tangent_grows(self):
        one = chaotic()
        one.step(2000, dt=0.02)
        assert observe.lyapunov(one, 100.0, dt=0.02) == pytest.approx(tangent(one, 5000, 0.02), abs=1e-4)

    def test_chaos_is_positive_and_weaker_coupling_less_so(self):
        strong = observe.lyapunov(chaotic(20, 1.2), 1000.0, dt=0.02, after=200.0)
        weak = observe.lyapunov(chaotic(20, 0.7), 1000.0, dt=0.02, after=200.0)
        locked = observe.lyapunov(chaotic(20, 2.0), 200.0, dt=0.02, after=200.0)
        assert 0.08 < strong < 0.16
        assert 0 < weak < 0.05
        assert locked < -0.1

    def test_it_leaves_the_swarm_as_it_is_and_is_repeatable(self):
        one = chaotic()
        one.nudge(3, 0.4)
        before = one.phase
        first = observe.lyapunov(one, 20.0, seed=5, schedule="ordered")
        assert first == observe.lyapunov(one, 20.0, seed=5, schedule="ordered")
        assert first != observe.lyapunov(one, 20.0, seed=6, schedule="ordered")
        assert np.array_equal(one.phase, before)
        assert one.time == 0

    @pytest.mark.parametrize(
        ("more", "kind", "says"),
        [
            ({"interval": 0.03}, ValueError, "duration must be a whole number of intervals"),
            ({"interval": 0.1, "after": 0.05}, ValueError, "after must be a whole number of intervals"),
            ({"distance": 1.0}, ValueError, "distance"),
            ({"after": -1.0}, ValueError, "after"),
            ({"dt": 0.0}, ValueError, "dt"),
            ({"schedule": "none"}, ValueError, "schedule"),
        ],
    )
    def test_refused(self, more, kind, says):
        with pytest.raises(kind, match=says):
            observe.lyapunov(chaotic(), 1.0, **more)

    def test_refused_swarms(self):
        with pytest.raises(emerge.InvalidType, match=r"must be an emerge\.Swarm"):
            observe.lyapunov(PHASE, 1.0)
        alone = emerge.Swarm(emerge.Topology.complete(1), emerge.Kuramoto(coupling=1.0))
        with pytest.raises(emerge.InvalidValue, match="relative=False"):
            observe.lyapunov(alone, 1.0)
        assert observe.lyapunov(alone, 1.0, relative=False) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda: observe.order_parameter("x"), TypeError, "phase must be real numbers"),
        (lambda: observe.order_parameter([]), ValueError, "at least one agent"),
        (lambda: observe.order_parameter(np.zeros((2, 2, 2))), ValueError, r"\(n,\) or \(times, n\)"),
        (lambda: observe.order_parameter([0.0, np.nan]), ValueError, "entry 1 is nan"),
        (lambda: observe.order_parameter([0.0], 0), ValueError, "moment must be from 1"),
        (lambda: observe.order_parameter([0.0, 1.0], weights=[1.0]), ValueError, "weights"),
        (lambda: observe.order_parameter([0.0, 1.0], weights=[-1.0, 2.0]), ValueError, "at least 0"),
        (lambda: observe.order_parameter([0.0, 1.0], failed=[2]), ValueError, "failed holds 2"),
        (lambda: observe.group_order([0.0, 1.0], [0]), ValueError, "groups must be 2 numbers"),
        (lambda: observe.group_order([0.0, 1.0, 2.0], [0, 2, 2]), ValueError, "nobody is in 1"),
        (lambda: observe.group_order([0.0, 1.0], [-1, 0]), ValueError, "numbered from 0"),
        (lambda: observe.group_order([0.0, 1.0], [0.5, 0]), ValueError, "whole number"),
        (lambda: observe.local_order([0.0, 1.0], "web"), TypeError, "emerge.Topology"),
        (lambda: observe.link_order([0.0, 1.0], emerge.Topology.ring(3)), ValueError, "3 agents"),
        (lambda: observe.link_coherence([[0.0, 1.0]], None), TypeError, "emerge.Topology"),
        (lambda: observe.phase_locking([0.0, 1.0]), ValueError, r"\(times, n\)"),
        (lambda: observe.phase_locking([[0.0, 1.0]], [2]), ValueError, "agents holds 2"),
        (lambda: observe.metastability([[0.5, 0.5]]), ValueError, "at least 2 times"),
        (lambda: observe.chimera_index([[0.5], [0.5]]), ValueError, "2 groups"),
        (lambda: observe.effective_frequency([0.0], [[1.0]]), ValueError, "at least 2 ascending"),
        (lambda: observe.effective_frequency([1.0, 0.0], [[1.0], [1.0]]), ValueError, "ascending"),
        (lambda: observe.frequency_clusters([[1.0]], 0.1), ValueError, "frequency"),
        (lambda: observe.frequency_clusters([1.0], -0.1), ValueError, "tolerance"),
        (lambda: observe.plateau([0, 1], [0.0, 0.0], tolerance=-1, window=1), ValueError, "tolerance"),
        (lambda: observe.plateau([0, 1], [0.0, 0.0], tolerance=1, window=0), ValueError, "window"),
        (lambda: observe.plateau([0, 1, 2], [0.0, 0.0], tolerance=1, window=1), ValueError, "time"),
        (lambda: observe.plateau([0], "x", tolerance=1, window=1), ValueError, "value must be numbers"),
        (lambda: observe.OrderParameter(0), ValueError, "moment"),
        (lambda: observe.OrderParameter(every=0), ValueError, "every must be greater than 0"),
        (lambda: observe.OrderParameter(after=-1), ValueError, "after must be at least 0"),
        (lambda: observe.OrderParameter(weights=[0.0]), ValueError, "not all of them 0"),
        (lambda: observe.Phases([-1]), ValueError, "agents"),
        (lambda: observe.ChimeraIndex([0, 0]), ValueError, "at least 2"),
        (lambda: observe.Splay().above("x"), TypeError, "level"),
        (lambda: observe.Splay().settled(0.1, 0), ValueError, "window"),
        (lambda: emerge.nothing, AttributeError, "no attribute 'nothing'"),
    ],
)
def test_what_is_refused(call, kind, says):
    with pytest.raises(kind, match=says):
        call()


@pytest.mark.parametrize(
    ("more", "kind", "says"),
    [
        ({"record": observe.Splay(every=0.015)}, ValueError, "every must be a whole number of ticks"),
        ({"record": observe.Splay(after=0.015)}, ValueError, "after must be a whole number of ticks"),
        ({"record": observe.GroupOrder([0, 1])}, ValueError, "groups must be 10 numbers"),
        ({"record": observe.Phases([10])}, ValueError, "agents holds 10"),
        ({"record": observe.PhaseLocking([10])}, ValueError, "agents holds 10"),
        ({"record": observe.OrderParameter(weights=[1.0])}, ValueError, "weights"),
        ({"record": {"r": "coherence"}}, TypeError, "observers of emerge.observe"),
        ({"record": {1: observe.Splay()}}, TypeError, "observers of emerge.observe"),
        ({"record": [observe.Splay]}, TypeError, "observers of emerge.observe"),
        ({"record": ["phases"]}, ValueError, "record"),
        ({"record": 3}, TypeError, "record"),
        ({"until": observe.Splay()}, TypeError, "above"),
        ({"until": observe.Phases([10]).above(1)}, ValueError, "agents holds 10"),
    ],
)
def test_bad_arguments_run_nothing(more, kind, says):
    one = swarm(10)
    with pytest.raises(kind, match=says):
        one.run(1.0, **more)
    assert one.time == 0.0
    one.step()


def test_observers_are_values():
    weights = np.ones(3)
    one = observe.OrderParameter(weights=weights)
    weights[0] = 9
    assert one.weights.tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        one.weights[0] = 2
    with pytest.raises(AttributeError):
        one.moment = 3
    assert repr(observe.Phases([1], every=0.5)) == "Phases(every=0.5, after=0.0)"
    assert repr(emerge.Series(np.arange(3.0), np.zeros((3, 2)))) == "Series(3 times, values of shape (3, 2))"


def test_the_sine_is_the_engines():
    out = np.empty(2 * N)
    _engine.phasors(PHASE, out)
    assert out[::2] == pytest.approx(np.cos(PHASE), abs=5e-16)
    assert out[1::2] == pytest.approx(np.sin(PHASE), abs=5e-16)
    with pytest.raises(emerge.InvalidValue, match="600 entries"):
        _engine.phasors(PHASE, out[1:].copy())
