"""The tick itself under ThreadSanitizer: the extension built with it, entered by Python threads instead of OpenMP's.

An OpenMP runtime that the detector does not know looks like a race at every join, so the members of the team are
Python threads with the GIL released, through `Engine.enter`, `member` and `leave`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
compiler = shutil.which("gcc")
runtime = None
if compiler is not None:
    told = subprocess.run([compiler, "-print-file-name=libtsan.so"], capture_output=True, text=True).stdout.strip()
    runtime = told if os.path.isabs(told) else None
pytestmark = [
    pytest.mark.skipif(runtime is None or not (HOUSE / "emerge_ext").is_dir(), reason="gcc with libtsan is needed"),
    pytest.mark.timeout(600),
]

SCRIPT = """
import itertools, sys, threading
import numpy as np
import emerge
from emerge import _engine

schedule, kind = sys.argv[1:]
n, size = 8 * 512 + 99, 3
graphs = [emerge.Topology.complete(n), emerge.Topology.ring(n, degree=4)]
if kind == "stored":
    graphs.reverse()
if kind in ("adapting", "late edges"):  # what edges carry stays with them
    graphs = [emerge.Topology.random(n, degree=6, seed=1)]
rng = np.random.default_rng(1)
engine = _engine.Engine(graphs[0]._graph, rng.uniform(0, 6, n), rng.normal(0, 1, n), 2, 2)
pulses = kind == "pulses"
(emerge.IntegrateAndFire(2.0, 1.0, 0.05) if pulses else emerge.Kuramoto(1.0, lag=0.1))._tell(engine, n, 0.0)
still = np.zeros(n)
if kind == "late":
    engine.set_past(2.5, None, itertools.repeat(still))
if kind == "late edges":
    engine.set_past(9.0, rng.integers(0, 9, graphs[0].edge_ends) + 0.0, itertools.repeat(still))
if kind == "adapting":
    engine.write_weights(np.ones(graphs[0].edge_ends))
    engine.set_adaptation(emerge.Hebbian(rate=1.0)._told())
engine.claim()
method = "heun" if kind in ("adapting", "late", "late edges") else "euler"
engine.begin(0.01, schedule, locked=-1.0 if pulses else 1e-30, keeps=True, method=method)
over = threading.Event()
ring = _engine.Ring(256, True, -1.0)
engine.attach(ring)

def batch():
    queued = 0
    while not over.is_set():
        agents = np.arange(50) * 7
        queued += ring.put_each(agents, np.full(50, 0.01)) + ring.put_one(5, 0.01)
        if queued % 3 == 0:
            engine.flush(ring)
    counts.append(queued)

def poke():
    k = 0
    while not over.is_set():
        agents = rng.integers(0, n, 50)
        engine.nudge(agents, np.full(50, 0.01))
        if len(graphs) > 1:
            engine.set_graph(graphs[k % 2]._graph)
        k += 1

counts = []
pokers = [threading.Thread(target=target) for target in (poke, batch, batch)]
for poker in pokers:
    poker.start()
while engine.tick < 100:  # a batch that has taken its time ends before its ticks are done
    engine.enter(min(25, 100 - engine.tick), size)
    members = [threading.Thread(target=engine.member, args=(rank, size)) for rank in range(size)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    assert engine.leave() == "running"
over.set()
for poker in pokers:
    poker.join()
engine.detach(ring)
assert engine.metrics()["batched"] == sum(counts) > 0
assert engine.tick == 100 and engine.check() == []
print("whole")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the extension with the detector, beside a copy of the package; the barrier's orders as told."""
    made = {}

    def build(orders):
        if orders in made:
            return made[orders]
        folder = made[orders] = tmp_path_factory.mktemp(orders)
        unwanted = shutil.ignore_patterns("*.so", "_engine.c", "*.egg-info")
        for name in ("emerge_ext", "src"):
            shutil.copytree(HOUSE / name, folder / name, ignore=unwanted)
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(HOUSE / name, folder)
        if orders == "weakened":
            barrier = folder / "emerge_ext" / "em_team.h"
            barrier.write_text(
                re.sub(r"memory_order_(acquire|release|acq_rel)", "memory_order_relaxed", barrier.read_text())
            )
        environment = {**os.environ, "EMERGE_OPENMP": "0", "EMERGE_CFLAGS": "-fsanitize=thread -O1 -g0"}
        environment["CC"] = compiler
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr[-3000:]
        return folder

    return build


def run(folder, schedule, kind):
    environment = {**os.environ, "LD_PRELOAD": runtime, "PYTHONPATH": str(folder / "src")}
    environment["TSAN_OPTIONS"] = "exitcode=66"
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, schedule, kind], env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [(schedule, kind) for schedule in ("barrier", "gossip") for kind in ("stored", "complete")]
    + [("barrier", kind) for kind in ("pulses", "late", "late edges", "adapting")],
)
def test_members_nudges_and_topologies_do_not_race(built, schedule, kind):
    done = run(built("right"), schedule, kind)
    assert "data race" not in done.stderr, done.stderr[:6000]
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr[-3000:]


def test_a_weakened_barrier_is_seen(built):
    assert "data race" in run(built("weakened"), "barrier", "stored").stderr
