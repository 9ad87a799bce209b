"""MATPOWER cases: a small one written here, the real ones where they are, their power flow as a witness."""

import gzip
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import emerge
from emerge import errors
from emerge.run import Schedule
from emerge.topology import Topology

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"

CASE = """function mpc = small
%SMALL  A case with everything that a reader meets.
%{
mpc.baseMVA = 7; in a block comment
%}
mpc.version = '2';  % not 100% of it is read
mpc.baseMVA = 50;

%% bus data: number, type, Pd, the rest
mpc.bus = [
\t10\t3\t0\t0\t0;   % the slack
\t4,\t1,\t30,\t0,\t0;
\t7\t1\t20 ...  continued
\t0\t0
\t99\t1\t0\t0\t0;
];
mpc.gen = [
\t10\t40\t0\t0\t0\t1\t100\t1;
\t10\t25\t0\t0\t0\t1\t100\t1;
\t4\t1000\t0\t0\t0\t1\t100\t0;
];
mpc.branch = [ 10 4 0 0.5 0 0 0 0 0 0 1; 10 4 0 -0.25 0 0 0 0 0 0 1
\t4\t7\t0\t0.1\t0\t0\t0\t0\t1.05\t30\t1;
\t10\t7\t0\t0\t0\t0\t0\t0\t0\t0\t0;
\t7\t7\t0\t3\t0\t0\t0\t0\t0\t0\t1];
mpc.gencost = [
\t2\t0\t0\t3\t0.1\tInf\t0;
];
mpc.bus_name = { 'it''s 100% [here]'; 'b' };
"""


@pytest.fixture
def case(tmp_path):
    def read(text=CASE, name="small.m"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
        return Topology.read(path)

    return read


@pytest.mark.parametrize("name", ["small.m", "small.m.gz"])
def test_small_case(case, name):
    web = case(name=name)
    assert web.labels.tolist() == ["10", "4", "7", "99"]
    assert web.edges.tolist() == [[0, 1], [1, 2]]
    assert web.weights == pytest.approx([2 + 4, 10])
    power = np.array([65, -30, -20, 0]) / 50
    power -= power.mean()
    assert web.frequency == pytest.approx(power / [6, 16, 10, 1], abs=1e-15)
    assert web.notes == (
        "branches are taken as lossless: resistance, charging, taps and phase shifts are ignored",
        "1 branch was left out, being out of service",
        "1 self-loop was left out",
        "1 repeated edge was merged, the weights added",
    )
    assert repr(web) == "Topology(4 agents, 2 edges, undirected, weighted)"


def test_edits_keep_labels_and_frequency(case):
    web = case()
    for edited in (web.without(0), web.with_edges([(0, 3)]), web.rewired(0.5, seed=1)):
        assert np.array_equal(edited.frequency, web.frequency)
        assert np.array_equal(edited.labels, web.labels)
    with pytest.raises(ValueError, match="read-only"):
        web.frequency[0] = 1
    with pytest.raises(AttributeError):
        web.frequency = None


BAD = {
    "reactance": ("0.5 0 0 0 0 0 0 1; 10", "0 0 0 0 0 0 0 1; 10", "line 22: reactance x is 0"),
    "infinite": ("0.5 0 0 0 0 0 0 1; 10", "Inf 0 0 0 0 0 0 1; 10", "line 22: reactance x is inf"),
    "unknown bus": ("\t4\t7\t0\t0.1", "\t4\t8\t0\t0.1", "line 23: mpc.branch names bus 8"),
    "unknown generator": ("\t10\t25", "\t11\t25", "line 19: mpc.gen names bus 11"),
    "twice": ("\t99\t1", "\t10\t1", "line 15: bus 10 stands in the list a second time"),
    "half a bus": ("\t99\t1", "\t9.5\t1", "line 15: bus number 9.5"),
    "no base": ("mpc.baseMVA = 50;", "", "no MATPOWER case: it has no mpc.baseMVA"),
    "base word": ("mpc.baseMVA = 50;", "mpc.baseMVA = big;", "line 7: baseMVA must be a number, not 'big'"),
    "base zero": ("mpc.baseMVA = 50;", "mpc.baseMVA = 0;", "line 7: baseMVA must be finite and above 0"),
    "no branches": ("mpc.branch = [", "mpc.ranch = [", "it has no mpc.branch"),
    "word": ("\t4,\t1,\t30,", "\t4,\t1,\tPd,", "line 12: mpc.bus must hold plain numbers"),
    "short row": ("\t99\t1\t0\t0\t0;", "\t99\t1\t0;", "line 15: a row of mpc.bus has 3 columns, expected 5"),
    "open": ("1];", "1;", "line 26: mpc.branch must hold plain numbers, not 'mpc.gencost = "),
    "computed": ("mpc.gencost = [", "mpc.branch(:, 4) = 2 * mpc.branch(:, 4);\nx = [", "branch is computed"),
    "load": ("\t4,\t1,\t30,", "\t4,\t1,\tNaN,", "power at a bus is not finite"),
}


@pytest.mark.parametrize(("old", "new", "words"), BAD.values(), ids=BAD)
def test_bad_cases_are_named(case, old, new, words):
    assert CASE.count(old) == 1
    with pytest.raises(errors.GraphFileError, match=words) as caught:
        case(CASE.replace(old, new))
    assert "small.m" in str(caught.value)


def test_matrices_too_narrow_or_empty(case):
    with pytest.raises(errors.GraphFileError, match="columns, expected 11"):
        case("mpc.baseMVA = 1;\nmpc.bus = [1 1 0];\nmpc.gen = [];\nmpc.branch = [1 1 1];\n")
    with pytest.raises(errors.GraphFileError, match="no rows"):
        case("mpc.baseMVA = 1;\nmpc.bus = [];\nmpc.gen = [];\nmpc.branch = [];\n")
    web = case("baseMVA = 1;\nbus = [1 1 0];\ngen = [];\nbranch = [];\n")
    assert web == Topology.complete(1)
    assert web.frequency.tolist() == [0]
    with pytest.raises(errors.GraphFileError, match=r"mpc\.branch has no closing"):
        case(CASE[: CASE.index("\t10\t7")])


def flow(web: Topology) -> np.ndarray:
    """Solve P_i = sum_j w_ij sin(a_i - a_j) by Newton's method, and return a_i - a_j of the edges."""
    sparse = pytest.importorskip("scipy.sparse")
    linalg = pytest.importorskip("scipy.sparse.linalg")
    n = len(web)
    i, j = web.edges.T
    weights = web.weights
    power = web.frequency * (np.bincount(i, weights, n) + np.bincount(j, weights, n))
    angle = np.zeros(n)
    for _ in range(20):
        bent = weights * np.sin(angle[i] - angle[j])
        missing = power - np.bincount(i, bent, n) + np.bincount(j, bent, n)
        if np.abs(missing).max() < 1e-10:
            return angle[i] - angle[j]
        stiff = weights * np.cos(angle[i] - angle[j])
        matrix = sparse.coo_array((np.concatenate([stiff, stiff]), (np.append(i, j), np.append(j, i))), (n, n))
        laplacian = sparse.csc_array(sparse.diags_array(matrix.sum(axis=1)) - matrix)
        angle[1:] += linalg.spsolve(laplacian[1:, 1:], missing[1:])
    raise AssertionError("no synchronous state found")


@pytest.mark.parametrize(
    ("name", "buses", "edges", "degrees", "sine"),
    [("case2869pegase.m", 2869, 3968, 25.1, 0.423), ("case9241pegase.m", 9241, 14207, 27.6, 0.463)],
)
def test_real_cases(name, buses, edges, degrees, sine):
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not beside the project")
    web = Topology.read(DATA / name)
    assert len(web) == buses
    assert web.edge_count == edges
    assert web.labels.shape == (buses,)
    assert web.components().max() == 0
    across = np.abs(flow(web))
    assert np.degrees(across.max()) == pytest.approx(degrees, abs=0.05)
    assert np.abs(np.sin(across)).max() == pytest.approx(sine, abs=5e-4)
    weaker = Topology.from_edges(web.edges, weights=web.weights * 0.9)
    assert weaker != web


def apart(web: Topology, schedule: str, duration: float) -> float:
    """Run a swarm to its synchronous state and return how far its edges are from the power flow, in rad."""
    swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), phase=0.0, threads=2)
    swarm.run(duration, dt=0.5, schedule=schedule, until=emerge.locked(1e-13))
    i, j = web.edges.T
    across = swarm.phase[i] - swarm.phase[j]
    return np.abs((across - flow(web) + np.pi) % (2 * np.pi) - np.pi).max()


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_a16_a_swarm_ends_at_the_power_flow(case, schedule):
    web = case()
    connected = Topology.from_edges(web.edges, 4, weights=web.weights)
    power = np.array([0.3, -0.2, -0.1, 0.0])
    swarm = emerge.Swarm(connected, emerge.Kuramoto(coupling=1.0, normalize="none"), frequency=power, phase=0.0)
    swarm.run(400.0, dt=0.02, schedule=schedule)
    i, j = connected.edges.T
    bent = connected.weights * np.sin(swarm.phase[i] - swarm.phase[j])
    assert np.abs(power - np.bincount(i, bent, 4) + np.bincount(j, bent, 4)).max() < 1e-8


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("schedule", ["barrier", "gossip"])
def test_a16_on_a_real_case(schedule):
    name = "case2869pegase.m"
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not beside the project")
    assert apart(Topology.read(DATA / name), schedule, 1e6) < 1e-8
