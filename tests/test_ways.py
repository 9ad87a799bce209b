"""All ways are one: every topology, model, team and instruction set against the same oracle, and to the bit."""

import inspect
import os
import subprocess
import sys
from typing import get_args

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge import _engine
from emerge.swarm import Precision

TICKS, DT = 3, 0.05


def phases(topology, model, threads, instruction_set=None, cut=(TICKS,), precision="double"):
    before = _engine.instruction_set()
    _engine.use_instruction_set(instruction_set or before)
    try:
        phase, frequency = ways.start(len(topology))
        swarm = emerge.Swarm(topology, model, phase=phase, frequency=frequency, threads=threads, precision=precision)
        for ticks in cut:
            swarm.step(ticks, dt=DT)
        return swarm.phase
    finally:
        _engine.use_instruction_set(before)


def test_every_constructor_is_listed():
    made = {
        name
        for name, member in inspect.getmembers(emerge.Topology)
        if not name.startswith("_") and inspect.ismethod(member) and name != "read"
    }
    assert made == {kind.partition(" ")[0] for kind in ways.TOPOLOGIES}


def test_every_model_and_normalisation_is_listed():
    assert {type(model) for model in ways.MODELS.values()} == {emerge.Kuramoto}  # all others: test_methods.py
    assert {model.normalize for model in ways.MODELS.values()} == {"weight", "agents", "none"}


def test_every_precision_is_listed():
    assert set(ways.PRECISIONS) == set(get_args(Precision))


@pytest.mark.parametrize("precision", ways.PRECISIONS)
@pytest.mark.parametrize("model", ways.MODELS)
@pytest.mark.parametrize("kind", ways.TOPOLOGIES)
def test_against_the_oracle_and_to_the_bit(kind, model, precision):
    topology, law = ways.TOPOLOGIES[kind](), ways.MODELS[model]
    first = phases(topology, law, 1, precision=precision)
    phase, frequency = ways.start(len(topology))
    edges, weights = oracle.both_ways(topology)
    parameters = {"lag": law.lag, "normalize": law.normalize, "ticks": TICKS, "dt": DT}
    truth = oracle.euler(phase, frequency, edges, weights, coupling=law.coupling, **parameters)
    assert oracle.apart(first, truth) < ways.PRECISIONS[precision] * ways.pull(topology, law)
    alone = oracle.euler(phase, frequency, edges, weights, coupling=0.0, **parameters)
    assert oracle.apart(first, alone) > 1e-4
    for threads in ways.TEAMS[1:]:
        assert np.array_equal(phases(topology, law, threads, precision=precision), first), f"{threads} workers"
    for name in ways.INSTRUCTION_SETS:
        assert np.array_equal(phases(topology, law, 2, name, precision=precision), first), name


@pytest.mark.parametrize("cut", [(1, 1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("kind", ["complete", "small_world"])
def test_batches_show_nothing(kind, cut):
    topology, law = ways.TOPOLOGIES[kind](), ways.MODELS["Kuramoto"]
    assert np.array_equal(phases(topology, law, 2, cut=cut), phases(topology, law, 3))


def test_tiles_show_nothing():
    plain, cut = (emerge.Topology.random(ways.N, degree=5, seed=2) for _ in range(2))
    cut._graph.cut(2)
    assert cut._graph.nbytes > plain._graph.nbytes
    for threads in ways.TEAMS:
        for name in ways.INSTRUCTION_SETS:
            whole, tiled = (
                phases(web, ways.MODELS["Kuramoto lag"], threads, name, precision="single") for web in (plain, cut)
            )
            assert np.array_equal(whole, tiled), (threads, name)
    assert np.array_equal(*(phases(web, ways.MODELS["Kuramoto"], 2) for web in (plain, cut)))
    with pytest.raises(emerge.InvalidValue, match="only a stored graph"):
        emerge.Topology.ring(9)._graph.cut(1)


def test_another_seed_gives_other_bits():
    star = emerge.Topology.star(50)
    one, two = (emerge.Swarm(star, ways.MODELS["Kuramoto"], seed=seed).phase for seed in (1, 2))
    assert not np.array_equal(one, two)


LIMITED = """
import emerge, sys
swarm = emerge.Swarm(emerge.Topology.ring(9000, degree=4), emerge.Kuramoto(coupling=1.0), seed=3, threads=8)
swarm.step(200)
sys.stdout.write(swarm.phase.tobytes().hex())
"""


@pytest.mark.parametrize("limit", ["1", "2", "3", "8"])
def test_a_runtime_that_gives_fewer_threads_does_not_hang(limit):
    environment = {**os.environ, "OMP_THREAD_LIMIT": limit}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    swarm = emerge.Swarm(emerge.Topology.ring(9000, degree=4), emerge.Kuramoto(coupling=1.0), seed=3, threads=1)
    swarm.step(200)
    assert done.stdout == swarm.phase.tobytes().hex()
