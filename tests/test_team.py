"""How many workers there are: what the user, the environment, the process's affinity and its CPU quota allow."""

import os
import subprocess
import sys

import pytest

import emerge
from emerge import swarm as room
from emerge import team

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

PROGRAM = """
import os
cores, threads = {cores}, {threads}
if cores:
    os.sched_setaffinity(0, cores)
import emerge
swarm = emerge.Swarm(emerge.Topology.complete(600_000), emerge.Kuramoto(coupling=1.0), seed=1, threads=threads)
swarm.step()
print(emerge.about().workers, swarm.metrics().workers)
"""


def workers(cores=(), threads=None, omp=None):
    """Workers that a program of its own has by default, and those that a large swarm had."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    if omp is not None:
        environment["OMP_NUM_THREADS"] = omp
    code = PROGRAM.format(cores=list(cores), threads=threads)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(map(int, done.stdout.split()))


class TestProcess:
    def test_by_default_all_there_are(self):
        assert workers() == (team.cores(), team.cores())

    @pytest.mark.skipif(not CORES, reason="this system has no affinity")
    def test_affinity(self):
        assert workers(cores=CORES[:1]) == (1, 1)

    @pytest.mark.parametrize(("omp", "most"), [("1", 1), ("2", 2), ("1,4", 1), ("1000", 1000)])
    def test_omp_num_threads(self, omp, most):
        assert workers(omp=omp) == (min(most, team.cores()),) * 2

    def test_who_asks_for_threads_gets_them(self):
        assert workers(cores=CORES[:1], threads=3, omp="1") == (1, 3)


class TestQuota:
    @pytest.fixture
    def group(self, tmp_path, monkeypatch):
        monkeypatch.setattr(team, "CGROUP", tmp_path)
        monkeypatch.setattr(team, "_affinity", lambda: 64)
        return tmp_path

    @pytest.mark.parametrize(
        ("told", "cores"),
        [
            ("max 100000\n", 64),
            ("200000 100000\n", 2),
            ("250000 100000\n", 2),
            ("50000 100000\n", 1),
            ("9900000 100000\n", 64),
            ("nonsense\n", 64),
            ("none 100000\n", 64),
        ],
    )
    def test_of_the_second_version(self, group, told, cores):
        (group / "cpu.max").write_text(told)
        assert team.cores() == cores

    @pytest.mark.parametrize(("quota", "cores"), [("-1\n", 64), ("300000\n", 3), ("1000\n", 1), ("none\n", 64)])
    def test_of_the_first_version(self, group, quota, cores):
        (group / "cpu").mkdir()
        (group / "cpu/cpu.cfs_quota_us").write_text(quota)
        (group / "cpu/cpu.cfs_period_us").write_text("100000\n")
        assert team.cores() == cores

    def test_where_nobody_tells_there_is_none(self, group):
        assert team.cores() == 64


@pytest.mark.parametrize(("holds", "then"), [(0.0, 1), (1e9, 2)])
def test_what_a_process_may_use_is_asked_again_after_a_while(monkeypatch, holds, then):
    monkeypatch.setattr(room, "CHOICE_HOLDS", holds)
    monkeypatch.setattr(team, "default_threads", lambda: 2)
    one = emerge.Swarm(emerge.Topology.complete(600_000), emerge.Kuramoto(coupling=1.0), seed=1)
    one.step()
    assert one.metrics().workers == 2
    monkeypatch.setattr(team, "default_threads", lambda: 1)
    one.step()
    assert one.metrics().workers == then
