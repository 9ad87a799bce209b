"""Weights that adapt: every model × method that serves them, against the oracle and to the bit; laws and refusals."""

import copy
import functools
import pickle
from math import pi

import numpy as np
import oracle
import pytest
import test_methods
import ways

import emerge
from emerge import _engine, adaptive, observe

N, DT, TICKS = test_methods.N, 0.05, 3
SPREAD = np.random.default_rng(2).normal(0.2, 0.6, 4000)

LAWS = {
    "Seliger": (emerge.Hebbian(rate=0.8, strength=1.5), (0.8, 1.5, 0.0, 1.0), None),
    "Berner": (emerge.Hebbian(rate=0.5, shift=-0.3 - pi / 2), (0.5, 1.0, -0.3 - pi / 2, 1.0), None),
    "Aoki": (emerge.Hebbian(rate=4.0, decay=0.0, bounds=(-1, 1.05)), (4.0, 1.0, 0.0, 0.0), (-1, 1.05)),
    "anti": (
        emerge.AntiHebbian(rate=5.0, strength=2.0, shift=0.4, bounds=(0.8, 1.2)),
        (5.0, -2.0, 0.4, 1.0),
        (0.8, 1.2),
    ),
}
"""Each is a law, what the oracle says of it, and its bounds."""

WEBS = {
    "small_world": lambda: ways.TOPOLOGIES["small_world"](N),
    "scale_free": lambda: ways.TOPOLOGIES["scale_free"](N),
    "directed": lambda: emerge.Topology.from_edges(ways.SCATTERED[:4000] % N, N, weights=SPREAD, directed=True),
}
SERVED = _engine.methods_of_weights()


def goes(name):
    model, _ = test_methods.MODELS[name]()
    try:
        adaptive.check_model(emerge.Hebbian(rate=1.0), model)
    except emerge.InvalidValue:
        return False
    return True


WAYS = [
    (name, method)
    for name in filter(goes, test_methods.MODELS)
    for method in SERVED
    if test_methods.allowed(name, method)
]


@functools.cache
def web_of(kind):
    return WEBS[kind]()


@pytest.fixture(scope="module", autouse=True)
def webs():
    """Topologies as they are once they are used; let go of in the end."""
    for kind in WEBS:
        emerge.Swarm(web_of(kind), emerge.Kuramoto(1.0), seed=1).step()
    yield
    web_of.cache_clear()


def test_every_law_and_method_is_listed():
    assert {type(law).__name__ for law, _, _ in LAWS.values()} == set(adaptive.LAWS)
    assert {method for _, method in WAYS} == set(SERVED) == {"euler", "heun", "rk4"}


def swarm_of(kind, name, law, threads=1, precision="double", isa=None):
    before = _engine.instruction_set()
    _engine.use_instruction_set(isa or before)
    try:
        web = web_of(kind)
        phase, frequency, velocity = test_methods.begin(web, name)
        more = {} if velocity is None else {"velocity": velocity}
        model, _ = test_methods.MODELS[name]()
        return emerge.Swarm(
            web,
            model,
            phase=phase,
            frequency=frequency,
            seed=test_methods.SEED,
            threads=threads,
            precision=precision,
            adapt=LAWS[law][0],
            **more,
        )
    finally:
        _engine.use_instruction_set(before)


def state(swarm):
    return {**test_methods.state(swarm), "strengths": swarm.strengths}


def truth(kind, name, law, method, **changed):
    """The oracle's state after TICKS ticks."""
    web = web_of(kind)
    edges, weights = oracle.both_ways(web)
    phase, frequency, velocity = test_methods.begin(web, name)
    _, facts = test_methods.MODELS[name]()
    _, adapt, bounds = LAWS[law]
    told = {"adapt": adapt, "bounds": bounds or (-np.inf, np.inf), **facts, **changed}
    model = oracle.Learning(edges, weights, frequency, **told)
    now = [phase, *([] if velocity is None else [velocity]), weights]
    held = None if model.energy is None else np.broadcast_to(model.energy[0], N).astype(float)
    for tick in range(TICKS):
        still = np.zeros(N) if np.all(np.equal(model.noise, 0)) else test_methods.normal(tick)
        now, held = model.tick(method, tick * DT, DT, now, still, held)
    found = {"phase": now[0], "strengths": now[-1][np.lexsort(edges.T[::-1])]}
    found |= {} if velocity is None else {"velocity": now[1]}
    return found if held is None else {**found, "energy": held}


def laws_for(kind):
    return [law for law in LAWS if kind != "directed" or LAWS[law][2] is None]


@pytest.mark.parametrize(("name", "method"), WAYS)
@pytest.mark.parametrize("kind", WEBS)
def test_against_the_oracle_and_to_the_bit(kind, name, method):
    laws = laws_for(kind) if name in ("Kuramoto", "SecondOrder") else ["Berner"]
    for law in laws:
        first = swarm_of(kind, name, law)
        first.step(TICKS, dt=DT, method=method)
        found = state(first)
        assert test_methods.apart(found, truth(kind, name, law, method)) < 1e-12 * (30 if kind == "directed" else 1)
        assert test_methods.apart(found, truth(kind, name, law, method, adapt=(0.0, 1.0, 0.0, 1.0))) > 1e-3
        assert first.check() == ()
        for threads, isa in [(2, None), (3, None), (8, None), *((2, isa) for isa in ways.INSTRUCTION_SETS)]:
            other = swarm_of(kind, name, law, threads, isa=isa)
            for _ in range(TICKS):
                other.step(dt=DT, method=method)
            assert test_methods.same(found, state(other)), (threads, isa)


@pytest.mark.parametrize("method", SERVED)
@pytest.mark.parametrize("kind", WEBS)
def test_single_precision(kind, method):
    swarm = swarm_of(kind, "Kuramoto", "Berner", threads=2, precision="single")
    swarm.step(TICKS, dt=DT, method=method)
    assert test_methods.apart(state(swarm), truth(kind, "Kuramoto", "Berner", method)) < 1e-5


@pytest.mark.parametrize("law", [law for law in LAWS if LAWS[law][2] is None])
def test_order_of_convergence(law):
    """Weights and phases together are of the method's order, where no bound, which is a corner, is touched."""
    ends = {}
    for method, order in (("euler", 1), ("heun", 2), ("rk4", 4)):
        for ticks in (8, 16, 256):
            swarm = swarm_of("small_world", "Kuramoto", law)
            swarm.step(ticks, dt=0.8 / ticks, method=method)
            ends[ticks] = state(swarm)
        coarse, fine = (test_methods.apart(ends[ticks], ends[256]) for ticks in (8, 16))
        assert coarse / fine == pytest.approx(2**order, rel=0.2)


def test_at_rate_0_weights_are_those_of_the_topology_to_the_bit():
    web = web_of("directed")
    phase, frequency = ways.start(N)
    for method in SERVED:
        plain, still = (
            emerge.Swarm(web, emerge.Kuramoto(1.3, 0.2), phase=phase, frequency=frequency, adapt=adapt)
            for adapt in (None, emerge.Hebbian(rate=0.0))
        )
        for swarm in (plain, still):
            swarm.step(5, method=method)
        assert np.array_equal(plain.phase, still.phase)
        assert np.array_equal(still.strengths, web.weights)


def test_two_agents_lock_where_seliger_and_others_say():
    """With k = cos(gap) each pulls by sin(2 gap) / 2: locked up to a difference of K, at asin(difference / K) / 2."""
    pair = emerge.Topology.from_edges([(0, 1)])
    for gap, ends in ((0.9, "locked"), (1.1, "drifts")):
        law = emerge.Hebbian(rate=0.3)
        swarm = emerge.Swarm(pair, emerge.Kuramoto(1.0), phase=0.0, frequency=[gap, 0.0], adapt=law)
        swarm.track()
        swarm.run(300.0, dt=0.02, method="rk4")
        turned = np.subtract(*swarm.displacement)
        assert (turned < 2 * pi) == (ends == "locked")
        if ends == "locked":
            assert turned == pytest.approx(np.arcsin(gap) / 2, abs=1e-9)
            assert np.allclose(swarm.strengths, np.cos(turned), atol=1e-9, rtol=0)


def test_the_two_ends_of_an_edge_differ_if_there_is_a_shift():
    web = emerge.Topology.from_edges([(0, 1), (1, 2)])
    swarm = emerge.Swarm(web, emerge.Kuramoto(0.0), phase=[0.0, 0.5, 0.7], adapt=emerge.Hebbian(rate=1.0, shift=0.3))
    swarm.run(60.0, dt=0.5)
    assert np.allclose(swarm.strengths, np.cos([0.8, -0.2, 0.5, 0.1]), atol=1e-12)


class TestState:
    def swarm(self, **more):
        return emerge.Swarm(
            web_of("directed"), emerge.Kuramoto(1.0, noise=0.01), seed=5, frequency=0.3, adapt=LAWS["Berner"][0], **more
        )

    @pytest.mark.parametrize("method", ["euler", "heun"])
    def test_saved_copied_and_pickled_it_goes_on_with_the_same_bits(self, method, tmp_path):
        whole, half = self.swarm(), self.swarm()
        whole.step(9, method=method)
        half.step(4, method=method)
        half.save(tmp_path / "half.npz")
        others = [emerge.Swarm.load(tmp_path / "half.npz"), copy.copy(half), pickle.loads(pickle.dumps(half)), half]
        for swarm in others:
            assert swarm.adapt == whole.adapt
            swarm.step(5, method=method)
            assert test_methods.same(state(whole), state(swarm))

    def test_it_is_assigned_and_read_in_the_order_of_rows(self):
        scipy = pytest.importorskip("scipy.sparse")
        swarm, web = self.swarm(), web_of("small_world")
        assert np.array_equal(swarm.strengths, web_of("directed").weights)
        strengths = np.random.default_rng(1).uniform(-1, 1, web.edge_ends)
        phase, frequency = ways.start(N)
        rows = web.to_scipy()
        matrix = scipy.csr_array((strengths, rows.indices, rows.indptr), shape=rows.shape)
        adapted = emerge.Swarm(
            web,
            emerge.Kuramoto(1.0, normalize="none"),
            phase=phase,
            frequency=frequency,
            adapt=emerge.Hebbian(rate=0.0),
        )
        told = emerge.Swarm(
            emerge.Topology.from_scipy(matrix), emerge.Kuramoto(1.0, normalize="none"), phase=phase, frequency=frequency
        )
        adapted.strengths = strengths
        assert np.array_equal(adapted.strengths, strengths)
        for one in (adapted, told):
            one.step(3)
        assert np.array_equal(adapted.phase, told.phase)
        adapted.strengths = 0.5
        assert (adapted.strengths == 0.5).all()
        swarm.strengths[:] = 7.0
        assert np.array_equal(swarm.strengths, web_of("directed").weights)

    def test_recorded_on_request_at_an_interval_of_its_own(self):
        swarm, other = self.swarm(), self.swarm()
        record = {"all": observe.Strengths(every=0.05), "some": observe.Strengths([7, 3], every=0.1, after=0.05)}
        history = swarm.run(0.2, record=record).history
        seen = [other.strengths]
        for _ in range(4):
            other.step(5)
            seen.append(other.strengths)
        assert np.array_equal(history["all"].value, seen)
        assert np.allclose(history["some"].time, [0.05, 0.15])
        assert np.array_equal(history["some"].value, [seen[1][[7, 3]], seen[3][[7, 3]]])

    def test_another_law_from_now_on(self):
        swarm, other = self.swarm(), self.swarm()
        for one in (swarm, other):
            one.step(3)
        before = swarm.strengths
        swarm.adapt = emerge.Hebbian(rate=0.0)
        swarm.step(3)
        other.step(3)
        assert np.array_equal(swarm.strengths, before)
        assert not np.array_equal(other.strengths, before)

    def test_who_failed_is_in_phase_with_nobody(self):
        web = emerge.Topology.from_edges([(0, 1), (1, 2), (2, 3)])
        swarm = emerge.Swarm(web, emerge.Kuramoto(0.0), phase=0.0, adapt=emerge.Hebbian(rate=1.0))
        swarm.fail(1)
        swarm.step(1, dt=0.25)
        assert swarm.strengths.tolist() == [0.75, 0.75, 0.75, 0.75, 1.0, 1.0]

    def test_memory_is_taken_for_what_is_used(self):
        plain = emerge.Swarm(web_of("directed"), emerge.Kuramoto(1.0), seed=5)
        swarm = emerge.Swarm(web_of("directed"), emerge.Kuramoto(1.0), seed=5, adapt=emerge.Hebbian(rate=0.1))
        ends = web_of("directed").edge_ends
        assert swarm.nbytes - plain.nbytes == 8 * ends
        for method, arrays in (("euler", 1), ("heun", 3), ("rk4", 3)):
            for one in (plain, swarm):
                one.step(1, method=method)
            assert swarm.nbytes - plain.nbytes == 8 * ends * arrays

    def test_the_model_may_be_exchanged_and_what_it_needs_is_there(self):
        swarm = emerge.Swarm(web_of("small_world"), emerge.Kuramoto(1.0), seed=5, adapt=emerge.Hebbian(rate=0.1))
        calls = []

        def exchange(swarm):
            calls.append(swarm.time)
            swarm.model = emerge.SecondOrder(1.0, harmonics=(1.0, 0.5)) if len(calls) % 2 else emerge.Kuramoto(2.0)

        swarm.run(0.5, dt=0.05, method="rk4", until=exchange, every=0.05)
        assert swarm.check() == ()

    @pytest.mark.parametrize("method", SERVED)
    def test_weights_that_run_away_end_the_run_with_all_of_the_state_finite(self, method):
        swarm = emerge.Swarm(web_of("small_world"), emerge.Kuramoto(0.0), seed=5, adapt=emerge.Hebbian(rate=1e12))
        with pytest.raises(emerge.Diverged, match="agent 0 left the range of numbers"):
            swarm.step(1000, method=method)
        assert np.isfinite(swarm.strengths).all()
        assert swarm.check() == ()


def small(**more):
    web = emerge.Topology.from_edges([(0, 1), (1, 2)])
    return emerge.Swarm(web, **{"model": emerge.Kuramoto(1.0), "seed": 1, "adapt": emerge.Hebbian(rate=0.1), **more})


def assign(name, value, **more):
    setattr(small(**more), name, value)


REFUSED = [
    (lambda: emerge.Hebbian(rate=-0.1), r"rate must be at least 0, not -0\.1"),
    (lambda: emerge.Hebbian(rate=np.inf), r"rate must be finite, not inf"),
    (lambda: emerge.AntiHebbian(rate="fast"), r"rate must be a number, not 'fast'"),
    (lambda: emerge.Hebbian(rate=0.1, strength=np.nan), r"strength must be finite, not nan"),
    (lambda: emerge.Hebbian(rate=0.1, shift=np.inf), r"shift must be finite"),
    (lambda: emerge.Hebbian(rate=0.1, decay=-1.0), r"decay must be at least 0, not -1"),
    (lambda: emerge.Hebbian(rate=0.1, bounds=(1.0, 1.0)), r"bounds must be two numbers, the least and the most"),
    (lambda: emerge.Hebbian(rate=0.1, bounds=(np.nan, 1.0)), r"bounds must be two numbers"),
    (lambda: emerge.Hebbian(rate=0.1, bounds=1.0), r"bounds must be two numbers"),
    (
        lambda: small(adapt=0.1),
        r"adapt must be a law such as emerge\.Hebbian\(rate=0\.1\), not 0\.1; rate=0 holds weights",
    ),
    (
        lambda: small(adapt=emerge.Hebbian(rate=1, bounds=(0, 0.5))),
        r"weights of the topology must be within the bounds 0 and 0\.5, but that of edge end 0",
    ),
    (lambda: small(model=emerge.Simplicial(1.0, [(0, 1, 2)])), r"do not go with Simplicial"),
    (lambda: small(model=emerge.IntegrateAndFire(2.0, 1.0, 0.1)), r"do not go with IntegrateAndFire"),
    (lambda: assign("model", emerge.PhaseResponse(0.1)), r"do not go with PhaseResponse"),
    (lambda: assign("model", emerge.Simplicial(1.0, [(0, 1, 2)])), r"do not go with Simplicial"),
    (lambda: assign("topology", emerge.Topology.ring(3)), r"the topology of a swarm whose weights adapt stays"),
    (
        lambda: assign("strengths", [1.0, 2.0]),
        r"strengths must be one number or have shape \(4,\), one for each edge end",
    ),
    (lambda: assign("strengths", [1.0, np.nan, 1.0, 1.0]), r"strengths must be finite, but entry 1 is nan"),
    (lambda: assign("adapt", None), r"adapt must be a law"),
    (
        lambda: assign("adapt", emerge.Hebbian(rate=1, bounds=(2, 3))),
        r"strengths must be within the bounds 2 and 3, but that of edge end 0 is 1",
    ),
    (lambda: assign("strengths", 1.0, adapt=None), r"weights of this swarm do not adapt: make it with adapt="),
    (lambda: assign("adapt", emerge.Hebbian(rate=1), adapt=None), r"weights of this swarm do not adapt"),
    (lambda: small(adapt=None).strengths, r"weights of this swarm do not adapt"),
    (lambda: small(adapt=None).run(1.0, record=observe.Strengths()), r"weights of this swarm do not adapt"),
    (lambda: small().run(1.0, record=observe.Strengths([4])), r"ends holds 4, but edge ends are numbered from 0 to 3"),
    (lambda: observe.Strengths([-1]), r"ends holds -1"),
    (lambda: observe.lyapunov(small(), 10.0), r"weights that adapt cannot be brought back"),
    *(
        (
            lambda web=web: emerge.Swarm(web, emerge.Kuramoto(1.0), adapt=emerge.Hebbian(rate=0.1)),
            r"told by a rule: store",
        )
        for web in (emerge.Topology.complete(4), emerge.Topology.ring(5), emerge.Topology.star(4))
    ),
]


@pytest.mark.parametrize(("make", "says"), REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(make, says):
    with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
        make()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"method": "dopri5"}, r"'dopri5' cannot serve weights that adapt: use one of 'euler', 'heun', 'rk4'"),
        ({"method": "verlet"}, r"'verlet' cannot serve weights that adapt"),
        ({"method": "semi-implicit"}, r"'semi-implicit' cannot serve weights that adapt"),
        ({"schedule": "gossip"}, r"schedule='gossip' cannot serve weights that adapt, .*: use schedule='barrier'"),
        ({"schedule": "ordered"}, r"schedule='ordered' cannot serve weights that adapt"),
    ],
)
def test_a_way_that_cannot_serve_is_refused_and_nothing_happens(asked, says):
    swarm = small(model=emerge.SecondOrder(1.0))
    before = state(swarm)
    for do in (swarm.step, swarm.run, lambda _, **asked: swarm.live(**asked)):
        with pytest.raises(emerge.InvalidValue, match=says):
            do(1, **asked)
    assert test_methods.same(before, state(swarm))


def test_a_live_loop_refuses_another_topology_and_goes_on():
    swarm = small()
    with swarm.live(interval=0.001) as live:
        with pytest.raises(emerge.InvalidValue, match="whose weights adapt stays"):
            live.change(topology=emerge.Topology.ring(3)).result(timeout=60)
        live.change(coupling=2.0).result(timeout=60)
        with pytest.raises(emerge.InvalidValue, match="do not go with Simplicial"):
            live.change(model=emerge.Simplicial(1.0, [(0, 1, 2)]))
    assert swarm.model == emerge.Kuramoto(2.0)


def test_what_the_sentence_about_rules_tells_works():
    topology = emerge.Topology.complete(6)
    stored = emerge.Topology.from_edges(topology.edges, n=len(topology))
    emerge.Swarm(stored, emerge.Kuramoto(1.0), seed=1, adapt=emerge.Hebbian(rate=0.1)).step()


def test_a_damaged_file_is_refused(tmp_path):
    from emerge import checkpoint

    swarm = small()
    swarm.save(tmp_path / "one.npz")
    for name, value in (("strengths", np.ones(3)), ("strengths", np.full(4, np.nan))):
        facts, arrays = checkpoint.read(tmp_path / "one.npz")
        checkpoint.write(tmp_path / "other.npz", facts, {**arrays, name: value})
        with pytest.raises(emerge.CheckpointError, match="damaged: strengths must"):
            emerge.Swarm.load(tmp_path / "other.npz")
    facts["adapt"] = {**facts["adapt"], "law": "Lenz"}
    checkpoint.write(tmp_path / "other.npz", facts, {**arrays, "strengths": np.ones(4)})
    with pytest.raises(emerge.CheckpointError, match="damaged"):
        emerge.Swarm.load(tmp_path / "other.npz")
