"""Every model × method × topology × team × schedule that is allowed, against the oracle and to the bit."""

import ctypes
import functools
import shutil
import subprocess

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge import _engine
from emerge.errors import InvalidValue
from emerge.method import METHODS, integrator
from emerge.model import MODELS as KINDS

N = 2 * 512 + 110  # three blocks, and lattices of sides 3, 6 and 7
TICKS, DT, SEED = 2, 0.05, 20
DRAW = np.random.default_rng(3)
EACH = {name: DRAW.uniform(0.5, 1.5, N) for name in ("coupling", "lag", "inertia", "damping", "strength", "noise")}
COST = {
    name: DRAW.uniform(0.5, 1.5, N) * scale for name, scale in (("capacity", 0.1), ("cost", 1.0), ("recovery", 0.5))
}
TRIADS = np.argsort(DRAW.random((4000, 12)), axis=1)[:, :3] * 91 + DRAW.integers(0, 91, (4000, 1))
STRENGTHS = DRAW.normal(0.5, 1.0, len(TRIADS))
COURSE = [(0.0, 0.3), (0.05, 1.0), (0.1, 2.0)]

SOURCE = """
#include <stdint.h>
void rates(int64_t count, const double *phase, const double *re, const double *im, const double *frequency,
           const double *parameters, double *rate)
{
    for (int64_t i = 0; i < count; i++)
        rate[i] = frequency[i] + parameters[0] * im[i];
}
"""
ARGUMENTS = (ctypes.c_int64, *[ctypes.c_void_p] * 6)


@functools.cache
def compiled():
    """A model of one's own in C, as ctypes sees it."""
    import tempfile
    from pathlib import Path

    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a C compiler is needed")
    folder = Path(tempfile.mkdtemp())
    (folder / "rates.c").write_text(SOURCE)
    subprocess.run(
        [
            compiler,
            "-O2",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            "-o",
            folder / "rates.so",
            folder / "rates.c",
            "-lm",
        ],
        check=True,
    )
    function = ctypes.CDLL(str(folder / "rates.so")).rates
    function.restype, function.argtypes = None, ARGUMENTS
    return function


def kuramoto(phase, field, frequency, parameters):
    return frequency + parameters[0] * field.imag


def each(*names):
    return {name: EACH[name] for name in names}


MODELS = {
    "Kuramoto": lambda: (emerge.Kuramoto(1.3, lag=0.2), {"coupling": 1.3, "lag": 0.2}),
    "Kuramoto each": lambda: (emerge.Kuramoto(**each("coupling", "lag")), each("coupling", "lag")),
    "Kuramoto harmonics": lambda: (
        emerge.Kuramoto(0.7, 0.3, "agents", (1.0, -0.5, 0.25, 0.1)),
        {"coupling": 0.7, "lag": 0.3, "normalize": "agents", "harmonics": (1.0, -0.5, 0.25, 0.1)},
    ),
    "Kuramoto noise": lambda: (emerge.Kuramoto(1.0, noise=0.3), {"coupling": 1.0, "noise": 0.3}),
    "Kuramoto noise each": lambda: (emerge.Kuramoto(1.0, noise=EACH["noise"]), {"coupling": 1.0, **each("noise")}),
    "Kuramoto energy": lambda: (
        emerge.Kuramoto(3.0, energy=emerge.Energy(0.1, 1.0, 0.4)),
        {"coupling": 3.0, "energy": (0.1, 1.0, 0.4)},
    ),
    "Kuramoto energy each": lambda: (
        emerge.Kuramoto(3.0, energy=emerge.Energy(**COST)),
        {"coupling": 3.0, "energy": tuple(COST.values())},
    ),
    "Kuramoto course": lambda: (
        emerge.Kuramoto(emerge.varying(COURSE)),
        {"coupling": lambda t: np.interp(t, *np.transpose(COURSE))},
    ),
    "SecondOrder": lambda: (
        emerge.SecondOrder(1.2, 0.1, inertia=0.5, damping=0.3),
        {"coupling": 1.2, "lag": 0.1, "inertia": 0.5, "damping": 0.3},
    ),
    "SecondOrder each": lambda: (
        emerge.SecondOrder(1.0, **each("inertia", "damping")),
        {"coupling": 1.0, **each("inertia", "damping")},
    ),
    "SecondOrder noise": lambda: (
        emerge.SecondOrder(1.0, inertia=0.5, noise=0.2),
        {"coupling": 1.0, "inertia": 0.5, "damping": 1.0, "noise": 0.2},
    ),
    "SecondOrder energy": lambda: (
        emerge.SecondOrder(4.0, damping=0.5, energy=emerge.Energy(0.02, 1.0, 0.2)),
        {"coupling": 4.0, "inertia": 1.0, "damping": 0.5, "energy": (0.02, 1.0, 0.2)},
    ),
    "Forced": lambda: (
        emerge.Forced(0.5, strength=1.5, drive_frequency=3.0, drive_phase=0.4),
        {"coupling": 0.5, "strength": 1.5, "drive_frequency": 3.0, "drive_phase": 0.4},
    ),
    "Forced each": lambda: (
        emerge.Forced(0.5, drive_frequency=3.0, **each("strength")),
        {"coupling": 0.5, "drive_frequency": 3.0, **each("strength")},
    ),
    "HigherOrder": lambda: (
        emerge.HigherOrder(0.6, 1.1, -0.7, "agents", noise=0.1),
        {"coupling": 0.6, "triadic": 1.1, "tetradic": -0.7, "normalize": "agents", "noise": 0.1},
    ),
    "HigherOrder each": lambda: (
        emerge.HigherOrder(EACH["coupling"], triadic=EACH["strength"], tetradic=EACH["lag"]),
        {"coupling": EACH["coupling"], "triadic": EACH["strength"], "tetradic": EACH["lag"]},
    ),
    "Simplicial": lambda: (
        emerge.Simplicial(0.6, TRIADS, 0.2, triadic=1.3),
        {"coupling": 0.6, "lag": 0.2, "triadic": 1.3, "triads": (TRIADS, 1.0, True)},
    ),
    "Simplicial each": lambda: (
        emerge.Simplicial(EACH["coupling"], TRIADS, triadic=EACH["strength"], strengths=STRENGTHS, form="asymmetric"),
        {"coupling": EACH["coupling"], "triadic": EACH["strength"], "triads": (TRIADS, STRENGTHS, False)},
    ),
    "IntegrateAndFire": lambda: (
        emerge.IntegrateAndFire(2.0, 1.0, 0.03, "weight"),
        {"drive": 2.0, "leak": 1.0, "strength": 0.03, "normalize": "weight"},
    ),
    "IntegrateAndFire each": lambda: (
        emerge.IntegrateAndFire(1.0 + EACH["strength"], EACH["damping"], 0.2 * EACH["coupling"], "weight"),
        {
            "drive": 1.0 + EACH["strength"],
            "leak": EACH["damping"],
            "strength": 0.2 * EACH["coupling"],
            "normalize": "weight",
        },
    ),
    "PhaseResponse": lambda: (emerge.PhaseResponse(0.05), {"curve": "concave", "strength": 0.05}),
    "PhaseResponse sine": lambda: (emerge.PhaseResponse(0.05, "sine"), {"curve": "sine", "strength": 0.05}),
    "PhaseResponse advance each": lambda: (
        emerge.PhaseResponse(0.1 * EACH["lag"], "advance"),
        {"curve": "advance", "strength": 0.1 * EACH["lag"]},
    ),
    "Custom": lambda: (emerge.Custom(compiled(), (1.1,)), {"coupling": 1.1}),
    "Custom Python": lambda: (emerge.Custom(kuramoto, (1.1,)), {"coupling": 1.1}),
}
"""By the class's name; a word after it tells uses apart. Each is a model and what the oracle says of it."""

TOPOLOGIES = [kind for kind in ways.TOPOLOGIES if kind != "regular"]  # of which there is none here


@pytest.fixture(scope="module")
def webs():
    """One of each topology, and their directed edges."""
    made = {kind: ways.TOPOLOGIES[kind](N) for kind in TOPOLOGIES}
    for topology in made.values():  # what a graph keeps once it is used
        for model in (emerge.Kuramoto(1.0), emerge.IntegrateAndFire(2.0, 1.0, 0.0)):
            emerge.Swarm(topology, model, seed=1).step()
    return made


def allowed(name, method, schedule="barrier"):
    model, _ = MODELS[name]()
    try:
        integrator(method, schedule, model)
    except InvalidValue:
        return False
    return True


WAYS = [(name, method) for name in MODELS for method in METHODS if allowed(name, method)]
EVERY = 3


def begin(topology, name):
    """Phases, frequencies and velocities to start from."""
    phase, frequency = ways.start(len(topology))
    model, _ = MODELS[name]()
    return phase, frequency, np.sin(7 * phase) if model._inertial else None


def swarm_of(topology, name, threads=1, precision="double", instruction_set=None):
    before = _engine.instruction_set()
    _engine.use_instruction_set(instruction_set or before)
    try:
        phase, frequency, velocity = begin(topology, name)
        model, _ = MODELS[name]()
        return emerge.Swarm(
            topology,
            model,
            phase=phase,
            frequency=frequency,
            velocity=velocity,
            seed=SEED,
            threads=threads,
            precision=precision,
        )
    finally:
        _engine.use_instruction_set(before)


def advance(swarm, ticks, method, dt=DT):
    """Do some ticks; adaptive ones with tolerances at which the oracle can be told from what is wrong."""
    swarm.step(ticks, dt=dt, method=method, **({"rtol": 1e-10, "atol": 1e-10} if method == "dopri5" else {}))


def state(swarm):
    """All of it."""
    found = {"phase": swarm.phase}
    found |= {name: getattr(swarm, name) for name in ("velocity", "energy") if swarm._engine.has(name)}
    return found


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@functools.cache
def normal(tick):
    key = int(np.random.SeedSequence([SEED, 2]).generate_state(1, np.uint64)[0])
    return oracle.normals(key, tick, N)


def law_of(topology, name, **changed):
    _, frequency, _ = begin(topology, name)
    _, facts = MODELS[name]()
    return oracle.Law(*oracle.both_ways(topology), frequency, **{**facts, **changed})


def truth(topology, name, method, **changed):
    """The oracle's state after TICKS ticks."""
    phase, frequency, velocity = begin(topology, name)
    model, facts = MODELS[name]()
    if model._pulses:
        own = {} if "drive" in facts else {"frequency": frequency}
        flies = oracle.Fireflies(*oracle.both_ways(topology), **{**facts, **own, **changed})
        return {"phase": flies.run(phase, TICKS * DT)[0]}
    law = law_of(topology, name, **changed)
    now = [phase] if velocity is None else [phase, velocity]
    held = None if law.energy is None else np.broadcast_to(law.energy[0], N).astype(float)
    for tick in range(TICKS):
        still = np.zeros(N) if np.all(np.equal(law.noise, 0)) else normal(tick)
        now, held = law.tick(method, tick * DT, DT, now, still, held)
    found = {"phase": now[0]}
    found |= {} if velocity is None else {"velocity": now[1]}
    return found if held is None else {**found, "energy": held}


def apart(one, other):
    """The largest difference of two states."""
    around = {name: oracle.apart if name == "phase" else lambda a, b: np.abs(a - b).max() for name in one}
    return max(around[name](one[name], other[name]) for name in one)


def test_every_model_is_listed():
    assert {name.partition(" ")[0] for name in MODELS} == set(KINDS)


def test_every_method_has_an_oracle_and_serves_somebody():
    assert set(oracle.METHODS) == set(METHODS) == set(_engine.methods())
    assert {method for _, method in WAYS} == set(METHODS)


def products():
    """Yield every way on every topology; two of three, by turns, are left to the tests that take minutes."""
    for k, way in enumerate(WAYS):
        for t, kind in enumerate(TOPOLOGIES):
            yield pytest.param(*way, kind, marks=pytest.mark.slow if (k + t) % EVERY else ())


@pytest.mark.parametrize(("name", "method", "kind"), list(products()))
def test_against_the_oracle_and_to_the_bit(webs, name, method, kind):
    topology = webs[kind]
    first = swarm_of(topology, name)
    advance(first, TICKS, method)
    found = state(first)
    strongest = np.bincount(oracle.both_ways(topology)[0][:, 0], minlength=N).max()
    error = apart(found, truth(topology, name, method))
    assert error < (1e-7 if method == "dopri5" else 1e-12) * (strongest if kind == "star" else 1)
    changed = {"strength" if first.model._pulses else "coupling": 0.0 if "each" not in name else 0.1}
    assert apart(found, truth(topology, name, "semi-implicit" if first.model._inertial else "euler", **changed)) > 1e-4
    assert first.check() == ()
    runs = [(2, None)]
    if kind in ("small_world", "complete", "ring", "groups"):
        runs = [(threads, None) for threads in ways.TEAMS[1:]] + [(2, isa) for isa in ways.INSTRUCTION_SETS]
    for threads, isa in runs:
        other = swarm_of(topology, name, threads, instruction_set=isa)
        for _ in range(TICKS):
            advance(other, 1, method)
        assert same(state(other), found), (threads, isa)


@pytest.mark.parametrize(("name", "method"), WAYS)
def test_saved_halfway_it_goes_on_with_the_same_bits(webs, name, method, tmp_path):
    topology = webs["small_world"]
    whole, half = (swarm_of(topology, name) for _ in range(2))
    whole.step(9, dt=0.02, method=method)
    half.step(4, dt=0.02, method=method)
    half.save(tmp_path / "half.npz")
    model, _ = MODELS[name]()
    for again in (emerge.Swarm.load(tmp_path / "half.npz", model=model), half):
        again.step(5, dt=0.02, method=method)
        assert same(state(again), state(whole))
        assert again.time == whole.time


@pytest.mark.parametrize("kind", ["small_world", "complete"])
@pytest.mark.parametrize("schedule", ["gossip", "ordered"])
@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name, method in WAYS if allowed(name, method, "gossip")]
)
def test_other_schedules(webs, name, method, schedule, kind):
    """Agents one after another, or block by block, see what those before them have done."""
    topology = webs[kind]
    swarm = swarm_of(topology, name)
    swarm.step(dt=DT, method=method, schedule=schedule)
    size = 1 if schedule == "ordered" else 512
    groups = [slice(k, k + size) for k in range(0, N, size)]
    law = law_of(topology, name)
    phase, _, velocity = begin(topology, name)
    now = [phase.copy()] if velocity is None else [phase.copy(), velocity.copy()]
    still = np.zeros(N) if np.all(np.equal(law.noise, 0)) else normal(0)
    held = None if law.energy is None else np.broadcast_to(law.energy[0], N).astype(float)
    if name == "Custom Python":  # asked once a tick, before all
        rates = law.rates(0.0, *now)[0]
        assert oracle.apart(swarm.phase, now[0] + DT * rates) < 1e-12
        return
    if schedule == "ordered":
        groups = groups[: 40 if kind == "complete" else 300]
    for group in groups:
        after, purse = law.tick(method, 0.0, DT, now, still, held)
        for v in range(len(now)):
            now[v][group] = after[v][group]
        if held is not None:
            held[group] = purse[group]
    done = slice(0, groups[-1].stop)
    wanted = {"phase": now[0], "velocity": now[-1], "energy": held}
    for part, values in state(swarm).items():
        assert apart({part: values[done]}, {part: wanted[part][done]}) < 1e-11


def test_models_and_topologies_may_take_turns():
    """What a swarm keeps for one model and one graph is never too little for the next ones."""
    coarse, fine = (emerge.Topology.groups([N // k] * k, np.eye(k) + 1.0) for k in (2, 6))
    one, four = emerge.Kuramoto(1.0), emerge.Kuramoto(1.0, harmonics=(1.0, 0.5, 0.3, 0.2))
    phase, frequency = ways.start(N)
    swarm = emerge.Swarm(coarse, four, phase=phase, frequency=frequency)
    for topology, model in ((coarse, four), (coarse, one), (fine, one), (fine, four), (coarse, four)):
        swarm.topology, swarm.model = topology, model
        fresh = emerge.Swarm(topology, model, phase=swarm.phase, frequency=frequency)
        swarm.step(3)
        fresh.step(3)
        assert np.array_equal(swarm.phase, fresh.phase)
        assert swarm.check() == ()


@pytest.mark.parametrize("name", MODELS)
def test_single_precision(webs, name):
    topology = webs["small_world"]
    swarm = swarm_of(topology, name, precision="single")
    swarm.step(TICKS, dt=DT)
    assert apart(state(swarm), truth(topology, name, "euler")) < 1e-6


def test_a_compiled_function_of_scipy_is_called_and_left_out_of_files(tmp_path):
    low = pytest.importorskip("scipy").LowLevelCallable(
        compiled(), signature="void (int64_t, double *, double *, double *, double *, double *, double *)"
    )
    model = emerge.Custom(low, (1.1,))
    one, other = (
        emerge.Swarm(emerge.Topology.ring(N), law, seed=1) for law in (model, emerge.Custom(compiled(), (1.1,)))
    )
    one.save(tmp_path / "custom.npz")
    for swarm in (one, other, again := emerge.Swarm.load(tmp_path / "custom.npz", model=model)):
        swarm.step(5, method="rk4")
    assert np.array_equal(one.phase, other.phase)
    assert np.array_equal(one.phase, again.phase)
    with pytest.raises(emerge.CheckpointError, match="has a function in it"):
        emerge.Swarm.load(tmp_path / "custom.npz")
