"""Ten tests that need NumPy and pytest alone: what must work in an empty environment."""

import os
import subprocess
import sys

import numpy as np
import pytest

import emerge

MODEL = emerge.Kuramoto(coupling=2.0)


def swarm(n=1000, **more):
    return emerge.Swarm(emerge.Topology.small_world(n, degree=10, rewire=0.2, seed=1), MODEL, seed=1, **more)


def python(code, instruction_set):
    environment = {**os.environ, "EMERGE_ISA": instruction_set}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)


def test_it_says_what_it_is():
    about = emerge.about()
    assert about.version == emerge.__version__
    assert about.workers >= 1
    assert about.openmp > 0


def test_a_swarm_falls_into_step():
    assert swarm().run(200.0, until=emerge.coherent(0.95)).reason == "reached"


def test_without_coupling_it_does_not():
    still = swarm()
    still.model = emerge.Kuramoto(coupling=0.0)
    assert still.run(20.0, until=emerge.coherent(0.95)).reason == "duration"


def test_any_team_gives_the_same_bits():
    phases = []
    for threads in (1, 2, 3):
        one = swarm(3000, threads=threads)
        one.step(20)
        phases.append(one.phase)
    assert np.array_equal(phases[0], phases[1])
    assert np.array_equal(phases[0], phases[2])


def test_any_instruction_set_gives_the_same_bits():
    code = (
        "import emerge; s = emerge.Swarm(emerge.Topology.ring(900, degree=4), emerge.Kuramoto(coupling=1.0), seed=1);"
        "s.step(9); print(s.phase.tobytes().hex(), emerge.about().instruction_set)"
    )
    said = set()
    for name in emerge.about().instruction_sets:
        bits, used = python(code, name).stdout.split()
        assert used == name
        said.add(bits)
    assert len(said) == 1


def test_an_instruction_set_that_is_not_there_is_refused():
    done = python("import emerge", "mmx")
    assert done.returncode != 0
    assert "no instruction set 'mmx' here: this processor has baseline" in done.stderr


def test_nudges_arrive():
    one = swarm(phase=1.0)
    one.nudge(5, 0.5)
    assert one.phase[5] == pytest.approx(1.5)


def test_saved_swarms_go_on(tmp_path):
    one = swarm()
    one.save(tmp_path / "swarm.npz")
    two = emerge.Swarm.load(tmp_path / "swarm.npz")
    one.step(5), two.step(5)
    assert np.array_equal(one.phase, two.phase)


def test_an_edge_list_is_read(tmp_path):
    path = tmp_path / "web.txt"
    path.write_text("# who senses whom\n0 1\n1 2\n")
    assert emerge.Topology.read(path) == emerge.Topology.grid(3)


def test_missing_extras_say_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(emerge.MissingExtra, match=r"emerge-swarm\[graphs\]"):
        emerge.Topology.ring(5).to_scipy()
