"""The models of `tests/models`: the protocols of the machines, in every order that their steps can come in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODELS = Path(__file__).parent / "models"
NAMES = ["inbox", "rcu", "ring", "steal", "team"]

compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
pytestmark = [
    pytest.mark.skipif(shutil.which("spin") is None, reason="spin, the model checker, is needed"),
    pytest.mark.skipif(compiler is None or not MODELS.is_dir(), reason="a C compiler and the models are needed"),
]


def wrongs(name):
    """The ways of being wrong that the head of a model tells."""
    return [int(number) for number in re.findall(r"^ \* WRONG=(\d):", (MODELS / f"{name}.pml").read_text(), flags=re.M)]


def verify(name, folder, wrong=0):
    """What the checker says of a model after every reachable state, or at the first error."""

    def run(*command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("spin", f"-DWRONG={wrong}", "-a", str(MODELS / f"{name}.pml"))
    run(compiler, "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=2000", "-o", "pan", "pan.c")
    return run("./pan", "-m10000")


def errors(told):
    return int(re.search(r"errors: (\d+)", told)[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_protocol_holds_in_every_state(name, tmp_path):
    told = verify(name, tmp_path)
    assert errors(told) == 0, told
    assert "Search not completed" not in told
    assert "max search depth too small" not in told
    assert float(re.search(r"([\d.e+]+) states, stored", told)[1]) > 10_000
    assert set(re.findall(r"\((\d+) of \d+ states\)", told)) == {"0"}, "a step of the model that is never taken"


@pytest.mark.parametrize(("name", "wrong"), [(name, wrong) for name in NAMES for wrong in wrongs(name)])
def test_the_checker_sees_what_is_wrong(name, wrong, tmp_path):
    told = verify(name, tmp_path, wrong)
    assert errors(told) > 0, told
    assert "assertion violated" in told or "invalid end state" in told


def test_every_model_is_checked():
    assert sorted(path.stem for path in MODELS.glob("*.pml")) == NAMES
    assert all(wrongs(name) == list(range(1, len(wrongs(name)) + 1)) != [] for name in NAMES)
