"""Triads told one by one: every way of dividing, with and without pairs, and what is refused."""

import numpy as np
import oracle
import pytest

import emerge

N = 1200  # three blocks
RNG = np.random.default_rng(8)
TRIADS = np.argsort(RNG.random((3000, 20)), axis=1)[:, :3] * 60 + RNG.integers(0, 60, (3000, 1))
STRENGTHS = RNG.normal(0.5, 1.0, 3000)
PHASE, FREQUENCY = RNG.uniform(0, 2 * np.pi, N), RNG.normal(0.0, 0.3, N)
NOBODY = emerge.Topology.from_edges([], n=N)


def ran(model, topology=NOBODY, ticks=3, **more):
    swarm = emerge.Swarm(topology, model, phase=PHASE, frequency=FREQUENCY, **more)
    swarm.step(ticks, dt=0.01)
    return swarm


def truth(topology, ticks=3, **told):
    law = oracle.Law(*oracle.both_ways(topology), FREQUENCY, **told)
    now = [PHASE]
    for tick in range(ticks):
        now, _ = law.tick("euler", tick * 0.01, 0.01, now, np.zeros(N))
    return now[0]


@pytest.mark.parametrize("normalize", ["weight", "agents", "none"])
@pytest.mark.parametrize("form", ["symmetric", "asymmetric"])
@pytest.mark.parametrize("strengths", [1.0, -0.5, STRENGTHS], ids=["one", "same", "each"])
def test_all_ways_of_dividing(normalize, form, strengths):
    triadic = {"weight": 2.0, "agents": 2.0 * N**2, "none": 0.5}[normalize]
    model = emerge.Simplicial(0.0, TRIADS, triadic=triadic, strengths=strengths, form=form, normalize=normalize)
    found = ran(model).phase
    wanted = truth(NOBODY, triadic=triadic, triads=(TRIADS, strengths, form == "symmetric"), normalize=normalize)
    assert oracle.apart(found, wanted) < 1e-12 * (1000 if normalize == "agents" else 1)
    assert oracle.apart(found, PHASE + 0.03 * FREQUENCY) > 1e-3


def test_without_triads_it_is_kuramoto_to_the_bit():
    web = emerge.Topology.small_world(N, degree=6, rewire=0.2, seed=1)
    plain = ran(emerge.Kuramoto(1.3, lag=0.2), web).phase
    assert np.array_equal(ran(emerge.Simplicial(1.3, [], lag=0.2), web).phase, plain)


@pytest.mark.parametrize("kind", ["complete", "ring", "random"])
def test_models_may_take_turns(kind):
    """Tables that all can read come and go with the triads."""
    web = {
        "complete": emerge.Topology.complete(N),
        "ring": emerge.Topology.ring(N, degree=6),
        "random": emerge.Topology.random(N, degree=5, seed=2),
    }[kind]
    three, two = emerge.Simplicial(1.0, TRIADS), emerge.Kuramoto(1.0, harmonics=(1.0, 0.5))
    swarm = ran(three, web)
    for model in (two, three, emerge.Simplicial(1.0, TRIADS[:50], strengths=2.0), two):
        swarm.model = model
        fresh = emerge.Swarm(web, model, phase=swarm.phase, frequency=FREQUENCY)
        for one in (swarm, fresh):
            one.step(2)
        assert np.array_equal(swarm.phase, fresh.phase)
        assert swarm.check() == ()
    assert swarm.nbytes == fresh.nbytes or kind == "complete"


def test_topologies_may_take_turns_while_it_runs():
    complete, web = emerge.Topology.complete(N), emerge.Topology.random(N, degree=5, seed=2)
    swarm = ran(emerge.Simplicial(1.0, TRIADS), complete)
    for topology in (web, complete):
        before = swarm.phase
        swarm.topology = topology
        fresh = emerge.Swarm(topology, swarm.model, phase=before, frequency=FREQUENCY)
        for one in (swarm, fresh):
            one.step(2)
        assert np.array_equal(swarm.phase, fresh.phase)


def test_who_fails_pulls_nobody():
    model = emerge.Simplicial(0.0, [(0, 1, 2), (2, 3, 4)])
    swarm = ran(model, ticks=1)
    swarm.fail([1])
    before = swarm.phase
    swarm.step(dt=0.01)
    alone = np.r_[0, 1, 5:N]
    still = np.where(alone == 1, 0.0, 0.01 * FREQUENCY[alone])
    assert oracle.apart(swarm.phase[alone], before[alone] + still) < 1e-14
    assert oracle.apart(swarm.phase[2:5], before[2:5] + 0.01 * FREQUENCY[2:5]) > 1e-5


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: emerge.Simplicial(1.0, [(0, 1)]), r"rows of three agents, shape \(m, 3\), not \(1, 2\)"),
        (lambda: emerge.Simplicial(1.0, [(0, 1, 2.5)]), r"triads must be whole numbers, not float64"),
        (
            lambda: emerge.Simplicial(1.0, [(0, 1, 2), (3, 4, 3)]),
            r"triad 1 is \(3, 4, 3\), where an agent stands there",
        ),
        (lambda: emerge.Simplicial(1.0, [(0, 1, -2)]), r"triad 0 is \(0, 1, -2\), where an agent is below 0"),
        (lambda: emerge.Simplicial(1.0, [(0, 1, 2)], strengths=[1.0, 2.0]), r"1 triads, but 2 strengths"),
        (lambda: emerge.Simplicial(1.0, [(0, 1, 2)], strengths=np.nan), r"strengths must be finite"),
        (lambda: emerge.Simplicial(1.0, [(0, 1, 2)], form="round"), r"form must be 'symmetric' or 'asymmetric'"),
        (lambda: emerge.Simplicial(1.0, [(0, 1, 2)], triadic=np.inf), r"triadic must be finite"),
        (lambda: ran(emerge.Simplicial(1.0, [(0, 1, N)])), r"triad 0 is \(0, 1, 1200\), but agents go from 0 to 1199"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, says):
    with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
        make()
