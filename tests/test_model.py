"""Models as values: what they refuse and in which words, what fails and how, energy's books, compiled functions."""

import ctypes
import dataclasses
import re
import sys

import numpy as np
import pytest

import emerge
from emerge.method import METHODS

N = 700  # two blocks
RING = emerge.Topology.ring(N, degree=4)
TORQUE = np.linspace(-1.0, 1.0, N)
LARGE, SMALL = 1e300, 1e-10


def swarm_of(model, topology=RING, **more):
    return emerge.Swarm(topology, model, seed=3, **{"frequency": TORQUE, **more})


def still(phase, field, frequency, parameters):
    return frequency


REFUSED = [
    (lambda: emerge.SecondOrder(1.0, inertia=0.0), r"inertia must be greater than 0, not 0"),
    (lambda: emerge.SecondOrder(1.0, inertia=[1.0, -2.0]), r"inertia must be greater than 0, not -2"),
    (lambda: emerge.SecondOrder(1.0, damping=-1.0), r"damping must be at least 0, not -1"),
    (lambda: emerge.Kuramoto(1.0, noise=-0.1), r"noise must be at least 0, not -0\.1"),
    (lambda: emerge.Kuramoto(np.inf), r"coupling must be finite, not inf"),
    (lambda: emerge.Kuramoto([1.0, np.nan]), r"coupling must be finite"),
    (lambda: emerge.Kuramoto([[1.0, 2.0]]), r"coupling must be one number or one for each agent, not .*\(1, 2\)"),
    (lambda: emerge.Kuramoto(1.0, lag=np.nan), r"lag must be finite, not nan"),
    (lambda: emerge.Kuramoto(1.0, harmonics=[1.0] * 5), r"harmonics must be 1 to 4 numbers"),
    (lambda: emerge.Kuramoto(1.0, normalize="degree"), r"normalize must be one of 'weight', 'agents', 'none'"),
    (lambda: emerge.Energy(-1.0, 1.0, 1.0), r"capacity must be at least 0, not -1"),
    (lambda: emerge.Energy(1.0, -1.0, 1.0), r"cost must be at least 0, not -1"),
    (lambda: emerge.Energy(1.0, 1.0, [0.5, -0.5]), r"recovery must be at least 0, not -0\.5"),
    (lambda: emerge.Kuramoto(1.0, energy=1.0), r"energy must be an emerge\.Energy or None, not 1\.0"),
    (lambda: emerge.SecondOrder(1.0, damping=0.0, energy=emerge.Energy(1, 1, 1)), r"energy needs damping greater"),
    (lambda: emerge.Forced(1.0, drive_frequency=np.inf), r"drive_frequency must be finite, not inf"),
    (lambda: emerge.Custom(3), r"function must be a scipy\.LowLevelCallable, .* not 3"),
    (lambda: emerge.Custom(still, range(8)), r"parameters must be at most 7 numbers"),
    (lambda: emerge.varying([(0.0, 1.0), (0.0, 2.0)]), r"times of points must ascend"),
    (lambda: emerge.varying([(0.0, np.inf)]), r"points must be finite"),
    (lambda: emerge.varying([1.0, 2.0]), r"pairs of time and value, shape \(k, 2\), not \(2,\)"),
    (lambda: emerge.varying(lambda t: t), r"needs every="),
    (lambda: emerge.Kuramoto(emerge.varying([(0, 1)]), lag=[0.1, 0.2]), r"do not go with points in time"),
    (lambda: emerge.Kuramoto(1.0, noise=emerge.varying([(0, -1)])), r"noise must be at least 0, not -1"),
    (
        lambda: swarm_of(emerge.Kuramoto(np.ones(N - 1))),
        r"coupling must be one number or have shape \(700,\), .* not \(699,\)",
    ),
    (
        lambda: swarm_of(emerge.Kuramoto(1.0, energy=emerge.Energy(np.ones(3), 1, 1))),
        r"capacity must be one number or have shape \(700,\)",
    ),
    (lambda: swarm_of(emerge.Kuramoto(1.0), velocity=1.0), r"velocity"),
    (lambda: swarm_of(emerge.SecondOrder(1.0), velocity=[np.nan] * N), r"velocity must be finite"),
]


@pytest.mark.parametrize(("make", "says"), REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(make, says):
    with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
        make()


STEPS = [
    ({"method": "leapfrog"}, r"method must be one of 'euler', 'heun', .* not 'leapfrog'"),
    ({"method": "verlet"}, r"'verlet' is for models with inertia, such as emerge\.SecondOrder: use 'rk4'"),
    ({"method": "dopri5", "schedule": "gossip"}, r"which schedule='gossip' cannot serve: use schedule='barrier'"),
    ({"method": "rk4", "schedule": "ordered"}, r"which schedule='ordered' cannot serve: use schedule='barrier'"),
    ({"method": "dopri5", "rtol": 0.0}, r"rtol must be greater than 0, not 0"),
    ({"method": "dopri5", "atol": -1e-9}, r"atol must be greater than 0"),
    ({"method": "dopri5", "dt_min": 0.5, "dt_max": 0.1}, r"dt_min must be at most dt_max, 0\.1, not 0\.5"),
    ({"rtol": 1e-6}, r"rtol is for method='dopri5', and the method is 'euler'"),
]
NOISY, WEARY = emerge.Kuramoto(1.0, noise=0.1), emerge.Kuramoto(1.0, energy=emerge.Energy(1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("model", "asked", "says"),
    [(emerge.Kuramoto(1.0), *step) for step in STEPS]
    + [
        (NOISY, {"method": "rk4"}, r"'rk4' cannot serve noise: use 'euler' \(Euler-Maruyama\) or 'heun'"),
        (WEARY, {"method": "dopri5"}, r"'dopri5' cannot serve energy, which is paid for tick by tick"),
        (emerge.Custom(still), {"method": "heun"}, r"a Python function is asked once: use method='euler', or compile"),
        (
            emerge.Kuramoto(emerge.varying(lambda time: 1.0, every=0.015)),
            {"dt": 0.01},
            r"every of coupling must be a whole number of ticks of dt = 0\.01",
        ),
    ],
)
@pytest.mark.parametrize("do", ["step", "run"])
def test_a_method_that_cannot_serve_is_refused_and_nothing_happens(do, model, asked, says):
    swarm = swarm_of(model)
    before = swarm.phase
    with pytest.raises(emerge.InvalidValue, match=says):
        getattr(swarm, do)(1, **asked)
    assert swarm.metrics().ticks == 0
    assert np.array_equal(swarm.phase, before)
    swarm.step(dt=0.005)


def sick(phase, field, frequency, parameters):
    """Two agents are not well from the fourth tick on."""
    rate = frequency + 0.1 * field.imag
    if phase[0] > parameters[0]:
        rate[[600, 77]] = np.nan, np.inf
    return rate


def test_who_is_no_number_any_more_keeps_his_state_and_is_named_with_the_tick():
    phase = np.zeros(N)
    swarm = swarm_of(emerge.Custom(sick, (0.025,)), phase=phase, frequency=1.0)
    with pytest.raises(emerge.Diverged, match=r"agent 77 .*tick 3, .* t = 0\.04 .*not finite"):
        swarm.run(1.0)
    assert swarm.metrics().ticks == 4
    assert np.isfinite(swarm.phase).all()
    others = np.delete(np.arange(N), [77, 600])
    assert np.allclose(swarm.phase[[77, 600]], 0.03, rtol=1e-9)
    assert np.allclose(swarm.phase[others], 0.04, rtol=1e-3)
    assert swarm.check() == ()
    swarm.model = emerge.Kuramoto(1.0)
    swarm.run(1.0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("method", [method for method in METHODS if method != "dopri5"])
def test_inertia_that_runs_away_ends_the_run_with_all_of_the_state_finite(method, threads):
    coupling = np.where(np.arange(N) == 600, LARGE, 1.0)
    model = emerge.SecondOrder(coupling, inertia=np.where(np.arange(N) == 600, SMALL, 1.0))
    swarm = swarm_of(model, threads=threads, velocity=0.5)
    before = swarm.phase[600], swarm.velocity[600]
    with pytest.raises(emerge.Diverged, match="agent 600 left the range of numbers in tick 0"):
        swarm.step(10, method=method)
    assert (swarm.phase[600], swarm.velocity[600]) == before
    assert np.isfinite(swarm.velocity).all()
    assert swarm.metrics().ticks == 1
    assert swarm.velocity[599] != 0.5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lag", [0.0, 0.3])
def test_what_is_the_same_for_all_may_be_told_for_each(method, lag):
    inertia, damping = np.linspace(0.5, 2.0, N), np.linspace(0.0, 1.0, N)
    one = emerge.SecondOrder(1.5, lag, inertia=inertia, damping=damping)
    each = emerge.SecondOrder(np.full(N, 1.5), np.full(N, lag), inertia=inertia, damping=damping)
    first, other = (swarm_of(model, velocity=0.5, threads=threads) for model, threads in ((one, 1), (each, 2)))
    for swarm in (first, other):
        swarm.step(20, dt=0.05, method=method)
    assert np.array_equal(first.phase, other.phase)
    assert np.array_equal(first.velocity, other.velocity)
    before = first.nbytes
    first.model = each
    assert first.nbytes == before + 2 * 8 * N  # two arrays of the pull


def test_adaptive_steps_that_cannot_go_on_name_time_and_agent():
    model = emerge.SecondOrder(np.where(np.arange(N) == 600, 1e9, 1.0), normalize="none")
    swarm = swarm_of(model, phase=np.linspace(0, 6, N))
    with pytest.raises(emerge.Diverged, match=r"no step from t = 0\.? on meets .* agent 600 is the worst.*dt_min"):
        swarm.step(10, dt=0.1, method="dopri5", dt_min=1e-3)
    assert np.isfinite(swarm.phase).all()


class TestBooks:
    """Energy is neither made nor lost but by what the docstring says."""

    CAPACITY, COST, RECOVERY = np.linspace(0.02, 0.2, N), np.linspace(0.5, 2.0, N), np.linspace(0.1, 1.0, N)
    DT, TICKS = 0.02, 60

    def swarm(self, model, noise=0.0):
        energy = emerge.Energy(self.CAPACITY, self.COST, self.RECOVERY)
        swarm = swarm_of(dataclasses.replace(model, energy=energy, noise=noise))
        swarm.track()
        return swarm

    @pytest.mark.parametrize(
        ("model", "method", "noise"),
        [
            (model, method, noise)
            for model in (emerge.Kuramoto(4.0), emerge.SecondOrder(6.0, damping=0.5))
            for method, (stages, noisy, inertia) in emerge._engine.methods().items()
            for noise in (0.0, 0.05)
            if stages > 0 and noisy >= (noise > 0) and model._inertial >= inertia
        ],
    )
    def test_what_is_paid_is_what_was_turned(self, model, method, noise):
        swarm = self.swarm(model, noise)
        alone = TORQUE / (0.5 if isinstance(model, emerge.SecondOrder) else 1.0)
        began, earned, paid, spilt, broke = swarm.energy.sum(), 0.0, 0.0, 0.0, 0
        for _ in range(self.TICKS):
            before, turned = swarm.energy, swarm.displacement
            swarm.step(dt=self.DT, method=method)
            price = self.COST * np.abs(swarm.displacement - turned - self.DT * alone)
            purse = before + self.DT * self.RECOVERY
            assert (price <= purse + 1e-12).all()
            assert np.allclose(swarm.energy, np.minimum(self.CAPACITY, purse - price), atol=1e-12, rtol=0)
            earned, paid = earned + self.DT * self.RECOVERY.sum(), paid + price.sum()
            spilt += np.maximum(purse - price - self.CAPACITY, 0.0).sum()
            broke += int((swarm.energy < 1e-12).sum())
        assert swarm.energy.sum() == pytest.approx(began + earned - paid - spilt, abs=1e-9)
        assert min(paid, spilt, broke) > 0  # all of it was seen

    def test_without_cost_nothing_is_slowed_and_without_energy_nobody_is_turned(self):
        free = swarm_of(emerge.Kuramoto(2.0, energy=emerge.Energy(1.0, 0.0, 0.0)))
        plain, poor, alone = (
            swarm_of(emerge.Kuramoto(2.0)),
            swarm_of(emerge.Kuramoto(2.0, energy=emerge.Energy(0.0, 1.0, 0.0))),
            swarm_of(emerge.Kuramoto(0.0)),
        )
        for swarm in (free, plain, poor, alone):
            swarm.step(20)
        assert np.array_equal(free.phase, plain.phase)
        assert np.allclose(poor.phase, alone.phase, atol=1e-12)


class TestCompiled:
    """What a compiled function computes is what the model of the same equation does."""

    def same_as_kuramoto(self, function):
        ours, theirs = swarm_of(emerge.Custom(function, (1.5,))), swarm_of(emerge.Kuramoto(1.5))
        for swarm in (ours, theirs):
            swarm.step(20, method="rk4")
        assert np.abs(np.angle(np.exp(1j * (ours.phase - theirs.phase)))).max() < 1e-13
        again = swarm_of(emerge.Custom(function, (1.5,)), threads=2)
        again.step(20, method="rk4")
        assert np.array_equal(again.phase, ours.phase)

    def test_numba(self):
        numba = pytest.importorskip("numba")
        double = numba.types.CPointer(numba.types.float64)

        @numba.cfunc(numba.types.void(numba.types.int64, *[double] * 6))
        def rates(count, phase, re, im, frequency, parameters, rate):
            for i in range(count):
                rate[i] = frequency[i] + parameters[0] * im[i]

        self.same_as_kuramoto(rates)
        with pytest.raises(emerge.InvalidType, match="a compiled model must be void"):
            emerge.Custom(numba.cfunc(numba.types.float64(numba.types.float64))(lambda x: x))

    @pytest.mark.skipif(sys.platform == "win32", reason="a C compiler is needed")
    def test_cython(self, tmp_path, monkeypatch):
        build = pytest.importorskip("Cython.Build")
        scipy = pytest.importorskip("scipy")
        setuptools = pytest.importorskip("setuptools")
        (tmp_path / "own.pyx").write_text(
            "from libc.stdint cimport int64_t\n"
            "cdef api void rates(int64_t count, double *phase, double *re, double *im, double *frequency,\n"
            "                    double *parameters, double *rate) noexcept nogil:\n"
            "    for i in range(count):\n"
            "        rate[i] = frequency[i] + parameters[0] * im[i]\n"
        )
        monkeypatch.chdir(tmp_path)
        setuptools.setup(
            name="own",
            ext_modules=build.cythonize("own.pyx", language_level=3, quiet=True),
            script_args=["-q", "build_ext", "--inplace"],
        )
        monkeypatch.syspath_prepend(tmp_path)
        import own

        self.same_as_kuramoto(scipy.LowLevelCallable.from_cython(own, "rates"))


@ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * 6)
def by_phase(count, phase, re, im, frequency, parameters, rate):
    """Pull agents to phase 1, by their phases alone."""
    phase, rate = (
        np.ctypeslib.as_array(ctypes.cast(p, ctypes.POINTER(ctypes.c_double)), (count,)) for p in (phase, rate)
    )
    rate[:] = np.sin(1.0 - phase)


PLAIN, INERTIAL = emerge.Kuramoto(1.0), emerge.SecondOrder(2.0, inertia=0.5)
CHANGING = emerge.Kuramoto(emerge.varying(lambda time: 4.0 * time, every=0.1))


class TestExchange:
    """A model that is exchanged within a run has what it needs, and is one that the run can serve."""

    DT, AT, TICKS = 0.05, 3, 8

    def exchanged(self, before, after, method, **more):
        """Run with the model exchanged after some ticks."""
        swarm, calls = swarm_of(before, **more), []

        def exchange(swarm):
            calls.append(swarm.time)
            if len(calls) == self.AT + 1:
                swarm.model = after

        swarm.run(self.TICKS * self.DT, dt=self.DT, method=method, until=exchange, every=self.DT)
        return swarm

    @pytest.mark.parametrize("threads", [1, 2])
    @pytest.mark.parametrize(
        ("before", "after", "method"),
        [
            (before, after, method)
            for before, after in (
                (PLAIN, INERTIAL),
                (PLAIN, emerge.Kuramoto(1.0, harmonics=(1.0, 0.5, 0.3, 0.2))),
                (PLAIN, emerge.Simplicial(1.0, [(k, k + 1, k + 2) for k in range(N - 2)])),
                (PLAIN, emerge.Custom(by_phase)),
                (INERTIAL, PLAIN),
            )
            for method in ("euler", "heun", "rk4", "dopri5")
        ]
        + [(INERTIAL, emerge.SecondOrder(1.0, harmonics=(1.0, 0.5)), method) for method in ("semi-implicit", "verlet")]
        + [(PLAIN, CHANGING, method) for method in ("euler", "rk4")]
        + [(PLAIN, emerge.Custom(still), "euler")],
    )
    @pytest.mark.parametrize("web", [RING, emerge.Topology.complete(N)], ids=["ring", "complete"])
    def test_it_is_as_if_the_run_were_cut_in_two(self, web, before, after, method, threads):
        threads = 1 if isinstance(after, emerge.Custom) else threads
        swarm = self.exchanged(before, after, method, topology=web, threads=threads)
        cut = swarm_of(before, topology=web)
        cut.step(self.AT, dt=self.DT, method=method)
        cut.model = after
        cut.step(self.TICKS - self.AT, dt=self.DT, method=method)
        assert np.array_equal(swarm.phase, cut.phase)
        assert swarm.check() == ()
        if after._inertial:
            assert np.array_equal(swarm.velocity, cut.velocity)

    @pytest.mark.parametrize(
        ("before", "after", "method", "says"),
        [
            (INERTIAL, PLAIN, "verlet", r"'verlet' is for models with inertia"),
            (INERTIAL, PLAIN, "semi-implicit", r"'semi-implicit' is for models with inertia"),
            (PLAIN, NOISY, "rk4", r"'rk4' cannot serve noise"),
            (PLAIN, WEARY, "dopri5", r"'dopri5' cannot serve energy"),
            (PLAIN, emerge.Custom(still), "heun", r"a Python function is asked once"),
            (
                PLAIN,
                emerge.Kuramoto(emerge.varying(lambda time: 1.0, every=0.075)),
                "euler",
                r"every of coupling must be a whole number of ticks of dt = 0\.05",
            ),
            (PLAIN, emerge.Kuramoto(np.ones(3)), "rk4", r"coupling must be one number or have shape"),
        ],
    )
    def test_one_that_the_run_cannot_serve_is_refused_and_the_old_one_stays(self, before, after, method, says):
        swarm, refused = swarm_of(before), []

        def exchange(swarm):
            try:
                swarm.model = after
            except emerge.InvalidValue as error:
                refused.append(str(error))

        swarm.run(self.TICKS * self.DT, dt=self.DT, method=method, until=exchange, every=4 * self.DT)
        plain = swarm_of(before)
        plain.step(self.TICKS, dt=self.DT, method=method)
        assert len(refused) == 3
        assert all(re.search(says, sentence) for sentence in refused)
        assert swarm.model is before
        assert np.array_equal(swarm.phase, plain.phase)
        swarm.model = emerge.Kuramoto(1.0, noise=0.1)  # at rest any model goes

    def test_observers_and_listeners_may_exchange_it_too(self):
        swarm = swarm_of(PLAIN)

        @swarm.on(emerge.Ticked)
        def exchange(event):
            swarm.model = INERTIAL

        swarm.run(self.TICKS * self.DT, dt=self.DT, method="rk4")
        assert swarm.model is INERTIAL
        assert np.isfinite(swarm.velocity).all()
        assert swarm.velocity.any()


def test_models_are_values():
    model = emerge.SecondOrder([1.0, 2.0], inertia=0.5, noise=0.1)
    assert model == emerge.SecondOrder(np.array([1.0, 2.0]), inertia=0.5, noise=0.1)
    assert hash(model) == hash(emerge.SecondOrder([1.0, 2.0], inertia=0.5, noise=0.1))
    assert model != emerge.SecondOrder([1.0, 3.0], inertia=0.5, noise=0.1)
    with pytest.raises(ValueError, match="read-only"):
        model.coupling[0] = 3.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.inertia = 2.0
