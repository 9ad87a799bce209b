"""How many workers a run gets: what this process may use, and what its work is worth."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path

from . import _engine, admit

__all__ = ["THREADS_MAX", "builders", "choice", "cores", "default_threads", "threads"]

THREADS_MAX = 1024
"""Most threads that can be asked for."""

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux tells what the control group of this process may use."""

WORK_OF_A_WORKER = 50_000
"""Work, in edges, below which a second worker costs more than it brings: some 30 µs of a tick."""

WORK_TOO_LARGE_TO_TRY = 40 * WORK_OF_A_WORKER
"""Work for each worker above which no other team is tried."""

WORK_OF_AN_AGENT = 8
"""What an agent costs by itself, in edges; `em_graph_work` deals blocks out by the same figure."""

ENDS_OF_A_BUILDER = 50_000
"""Edge ends below which a second worker that makes them costs more than it brings: about a millisecond."""

_warned_after_fork = False


def threads(value: int | None) -> int | None:
    """Check the number of threads a user asks for; None leaves the choice to `choice`."""
    return None if value is None else admit.count(value, "threads", least=1, most=THREADS_MAX)


def default_threads() -> int:
    """Return the least of OMP_NUM_THREADS or OpenMP's maximum, the process's affinity and its CPU quota."""
    return max(1, min(_openmp(), cores()))


def cores() -> int:
    """Return the least of the process's affinity and its CPU quota: how many threads can be busy at once."""
    return max(1, min(_affinity(), _quota()))


def choice(limit: int | None, agents: int, edge_ends: int) -> tuple[int, tuple[int, ...]]:
    """Return the team that a swarm's work is worth, and all that may be tried: 1, 2, 4, … and the most there is.

    Only the usual one is given where others would not do better: what was asked for, swarms of one block, and
    swarms so large that a trial of one tick costs too much.
    """
    if _engine.is_forked() and limit != 1:
        _warn_after_fork()
        return 1, (1,)
    if limit is not None:
        return limit, (limit,)
    work = WORK_OF_AN_AGENT * agents + edge_ends
    most = min(default_threads(), math.ceil(agents / _engine.AGENTS_OF_BLOCK))
    teams = tuple(sorted({most} | {2**k for k in range(most.bit_length())}))
    usual = max(size for size in teams if size <= max(1, work // WORK_OF_A_WORKER))
    return usual, (teams if work < most * WORK_TOO_LARGE_TO_TRY else (usual,))


def builders(edge_ends: int) -> int:
    """Return how many workers may make a graph of so many edge ends; the engine takes one in a forked child."""
    worth = edge_ends // ENDS_OF_A_BUILDER
    return 1 if worth < 2 else min(worth, default_threads())


def _openmp() -> int:
    build = _engine.build()
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if build["openmp"] and asked.isdecimal() and int(asked) > 0:
        return min(int(asked), THREADS_MAX)
    return int(build["openmp_threads"])


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota() -> int:
    """Whole CPUs that the control group grants, on Linux; else as many as there may ever be."""
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (CGROUP / "cpu/cpu.cfs_quota_us").read_text()
            period = (CGROUP / "cpu/cpu.cfs_period_us").read_text()
        except OSError:
            return THREADS_MAX
    try:
        return max(1, int(quota) // int(period)) if int(quota) > 0 else THREADS_MAX
    except ValueError:
        return THREADS_MAX


def _warn_after_fork() -> None:
    global _warned_after_fork
    if not _warned_after_fork:
        _warned_after_fork = True
        warnings.warn(
            "this process was forked from one that had run swarms on several threads: its swarms run on one;"
            " start processes with the 'spawn' method to use more",
            RuntimeWarning,
            stacklevel=5,
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_engine.after_fork)
