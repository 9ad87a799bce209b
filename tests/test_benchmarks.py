"""The public benchmark: peers are right or skipped by name, what is wrong is caught, results can be compared."""

import importlib
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import emerge
from emerge import speed

HOUSE = Path(__file__).parent.parent
BENCHMARKS = HOUSE / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("the sources of emerge are needed", allow_module_level=True)
pytest.importorskip("scipy", reason="extra graphs")
sys.path.insert(0, str(BENCHMARKS))

check, compare, features, limit, measure, peers, picture, record, rows, _ = map(
    importlib.import_module,
    ("check", "compare", "features", "limit", "measure", "peers", "picture", "record", "rows", "features.swing"),
)

PLAIN = ("numpy_naive", "numpy_scipy", "numpy_stencil", "numpy_mean")
COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="cc is needed")


def run(script, *words):
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{script}.py"), *map(str, words)],
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


def wrong(**words):
    """A peer that does everything right but one thing."""
    right = peers.load("numpy_scipy")
    return SimpleNamespace(
        **{name: getattr(right, name) for name in ("NAME", "NEEDS", "KINDS", "MOST", "ticker")} | words
    )


class TestPeers:
    @pytest.mark.parametrize("module", PLAIN)
    def test_plain_peers_are_right(self, module):
        peer, held = peers.load(module), 0
        assert peers.missing(peer) is None
        for make in check.SMALL.values():
            topology = make()
            if peers.serves(peer, topology):
                assert check.hold(peer, topology)[1] < 1e-14
                held += 1
        assert held

    @pytest.mark.parametrize("module", [module for module in peers.MODULES if module not in PLAIN])
    def test_other_peers_are_right_in_a_process_of_their_own(self, module):
        peer = peers.load(module)
        for name in peer.NEEDS:
            # Importing one here would leave its threads in this process.
            if importlib.util.find_spec(name) is None:
                pytest.skip(f"{peer.NAME}: {name} is not installed")
        done = run("check", module)
        if "skipped" in done.stdout:
            pytest.skip(done.stdout.strip())
        assert done.returncode == 0, done.stdout + done.stderr
        assert "right, within" in done.stdout

    def test_every_file_is_listed_and_says_what_it_serves(self):
        assert sorted(peers.MODULES) == sorted(path.stem for path in BENCHMARKS.glob("peers/[a-z]*.py"))
        for module in peers.MODULES:
            peer = peers.load(module)
            assert peer.NAME
            assert set(peer.KINDS) <= {"complete", "ring", "other"}
            assert peer.MOST >= 1000

    def test_every_library_is_pinned(self):
        lines = [line for line in (HOUSE / "requirements-bench.txt").read_text().splitlines() if line[0] != "#"]
        assert all(re.fullmatch(r"[a-z0-9]+==[0-9.]+", line) for line in lines)
        pinned = {line.partition("==")[0] for line in lines}
        assert {name for module in peers.MODULES for name in peers.load(module).NEEDS} <= pinned

    def test_one_that_is_not_there_is_skipped_by_name(self):
        why = peers.missing(wrong(NEEDS=("no_such_library",)))
        assert "no_such_library" in why

    def test_graphs_are_told_apart(self):
        ring = emerge.Topology.ring(50, degree=6)
        assert peers.lattice(ring) == 6
        assert peers.lattice(emerge.Topology.from_edges(ring.edges, n=50)) == 6
        assert peers.lattice(ring.with_edges([(0, 20)])) is None
        assert peers.lattice(emerge.Topology.regular(50, 6, seed=1)) is None
        assert peers.kind(emerge.Topology.complete(5)) == "complete"
        assert not peers.serves(wrong(MOST=49), ring)
        assert peers.serves(wrong(MOST=50), ring)


class TestCheck:
    @pytest.mark.parametrize("by", [1.0001, 0.0, math.nan])
    def test_a_wrong_peer_is_caught(self, by):
        right = peers.load("numpy_scipy").ticker
        peer = wrong(ticker=lambda topology, coupling, *others: right(topology, by * coupling, *others))
        with pytest.raises(check.Wrong, match=r"NumPy \+ SciPy CSR is wrong by"):
            check.hold(peer, check.SMALL["random"]())

    def test_a_wrong_peer_ends_the_command(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["check.py", "numpy_mean"])
        monkeypatch.setattr(peers.load("numpy_mean"), "ticker", lambda *_: lambda phase, ticks: phase)
        assert check.main()
        assert "wrong by" in capsys.readouterr().out

    def test_a_graph_that_shows_nothing_is_refused(self):
        topology = emerge.Topology.from_edges(np.empty((0, 2), int), n=5)
        with pytest.raises(check.Wrong, match="coupling moves no phase"):
            check.telling(topology, check.truth(topology)[0])

    def test_large_graphs_have_a_witness_that_the_oracle_checked(self, monkeypatch):
        topology = check.SMALL["random"]()
        by_oracle, oracle = check.truth(topology)
        monkeypatch.setattr(check, "ORACLE_ENDS", 0)
        monkeypatch.setattr(check, "hold", lambda *_: held.append(True))
        held = []
        by_witness, witness = check.truth(topology)
        assert (oracle, witness, held) == ("oracle", "NumPy + SciPy CSR", [True])
        assert check.near(by_witness, by_oracle, witness) < 1e-14


class TestRows:
    def test_rows_name_peers_that_are_there(self):
        for row in rows.ROWS:
            assert set(row.peers) <= set(peers.MODULES)
            for faster in row.faster:
                assert set(faster.peers) & set(row.peers)

    def test_goals_are_judged_by_the_fastest_peer(self):
        row = next(row for row in rows.ROWS if row.name == "random, 100,000")
        tick = speed.Tick("random", 10**5, 10**6, True, "double", 8e5, 4e5, 2, 90.0)
        times = {"picked": 4e5, "alone": 8e5, "taichi_rows": 24e5, "torch_csr": 30e5, "gather": 3e5, "baseline": 9e5}
        found = {goal.name.partition("beside ")[2]: goal for goal in rows.goals(row, tick, times)}
        of_libraries = found["the fastest of PyTorch, Taichi, JAX, SciPy: Taichi"]
        assert (of_libraries.found, of_libraries.met) == (6.0, True)
        assert found["the bare gather"].found == pytest.approx(4 / 3)
        assert found["the bare gather"].met
        assert not found["the fastest of PyTorch, Taichi, JAX, SciPy, without AVX: Taichi"].met
        assert math.isnan(found["numba, written by an expert"].found)
        assert not found["numba, written by an expert"].met

    def test_a_name_is_that_row_and_part_of_one_is_all_that_hold_it(self):
        assert [row.name for row in rows.chosen("random, 1,000", 10**9)] == ["random, 1,000"]
        assert len(rows.chosen("complete", 10**9)) == 2
        assert rows.chosen("nothing", 10**9) == []
        assert {row.case.agents for row in rows.chosen("", 200)} == {200}


class TestMeasure:
    def test_a_wrong_engine_is_not_timed(self, monkeypatch):
        contest = measure.Contest(rows.chosen("small world", 200)[0], speed.QUICK)
        contest.truth = contest.truth + 1e-9
        with pytest.raises(check.Wrong, match=r"emerge is wrong by 1\.0e-09 rad"):
            contest.engine()

    def test_the_other_process_has_the_same_bits(self):
        case = speed.Case("random", 50)
        with pytest.raises(check.Wrong, match="gives other bits: baseline"):
            measure.Child(case, "0" * 64)

    def test_what_is_left_out_is_named(self):
        contest = measure.Contest(rows.chosen("complete, 100,000", 50)[0], speed.QUICK)
        contest.engine()
        contest.peer("numpy_mean")
        contest.peer("numpy_stencil")
        found = contest.found()
        assert [figure.who for figure in found.figures] == ["alone", "picked", "numpy_mean"]
        assert min(found.times.values()) > 0
        assert found.left[0].startswith("NumPy stencil: such graphs are")


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    return limit.Limit.built(tmp_path_factory.mktemp("limit"))


@COMPILER
class TestLimit:
    def test_bandwidth(self, bound):
        found = bound.bandwidth(1)
        assert min(found["triad"], found["read"]) > 0.01

    @pytest.mark.parametrize("precision", ["double", "single"])
    @pytest.mark.parametrize("threads", [1, 2, 5])
    def test_every_index_is_gathered(self, bound, precision, threads):
        way = bound.gather(emerge.Topology.random(101, degree=5, seed=1), precision, threads)
        assert way(2) > 0

    def test_a_sum_that_is_wrong_is_told(self, bound, monkeypatch):
        right = limit.sums
        monkeypatch.setattr(limit, "sums", lambda neighbour: right(neighbour[1:]))
        way = bound.gather(emerge.Topology.random(101, degree=5, seed=1), "double", 1)
        with pytest.raises(limit.NoLimit, match="the gather added up to"):
            way(1)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("bandwidth", "0"), "there must be 1 to 1024 threads"),
            (("gather", "FILE", "3", "16", "1"), "an index is outside of the graph"),
            (("gather", "FILE", "9", "16", "1"), "fewer degrees than there are agents"),
            (("gather", "FILE", "3", "4", "1"), "8 or 16 bytes"),
            (("gather", "none", "3", "16", "1"), "the file cannot be read"),
            (("width",), "bandwidth THREADS, or gather"),
        ],
    )
    def test_misuse(self, bound, words, said):
        path = bound.folder / "rows"
        np.array([1, 1, 1, 0, 1, 3], np.int32).tofile(path)
        with pytest.raises(limit.NoLimit, match=said):
            limit.run([str(bound.program), *(str(path) if word == "FILE" else word for word in words)])

    def test_without_a_compiler(self, monkeypatch, tmp_path):
        monkeypatch.setenv("CC", "no-such-compiler")
        with pytest.raises(limit.NoLimit, match="no-such-compiler cannot be run"):
            limit.Limit.built(tmp_path)


class TestMain:
    def test_a_row_is_printed_and_kept(self, tmp_path):
        path = tmp_path / "found.jsonl"
        done = run("main", "--quick", "--without-peers", "--only", "random, 100,000", "--output", path)
        assert done.returncode == 0, done.stderr
        assert "≥ 5         –" in done.stdout
        assert "emerge, without AVX" in done.stdout
        lines = record.read(path)
        assert {line["who"] for line in lines} >= {"alone", "picked", "baseline"}
        for line in lines:
            assert line["ns_per_agent_tick"] > 0
            assert line["machine"]
            assert line["instruction_set"]
            assert line["checked_against"] == (None if line["who"] == "gather" else "oracle")

    def test_a_case_that_is_not_there(self):
        done = run("main", "--only", "hypercube")
        assert done.returncode == 2
        assert "no case holds 'hypercube': there are random, 1,000;" in done.stderr

    def test_growth(self, tmp_path):
        path = tmp_path / "found.jsonl"
        done = run("growth", "--least", 100, "--most", 300, "--output", path)
        assert done.returncode == 0, done.stderr
        assert [line["agents"] for line in record.read(path)] == [100, 300]

    def test_growth_of_nothing(self):
        assert run("growth", "--least", 100, "--most", 10).returncode == 2


@COMPILER
class TestFeatures:
    def test_all_are_held_against_the_oracle_and_timed(self, tmp_path):
        path = tmp_path / "found.jsonl"
        done = run("main", "--quick", "--only", "features", "--output", path)
        assert done.returncode == 0, done.stderr
        lines = record.read(path)
        delays, threes = features.delays, features.threes
        gathers = {threes.GATHER, *(delays.gather_of(*edges) for edges in delays.EDGES)}
        names = {one.name for one in (*features.FEATURES, features.COMPILED)}
        names |= {threes.NAME, features.pulses.NAME, delays.COMMON, *(delays.name_of(*edges) for edges in delays.EDGES)}
        assert {line["who"] for line in lines} == names | gathers
        for line in lines:
            assert line["who"] in gathers or (line["checked_against"] == "oracle" and line["apart"] < 1e-13)
        for wanted in ("RK4, beside a plain tick", "≤ 1.3", "custom model, compiled"):
            assert wanted in done.stdout

    def test_one_that_is_wrong_is_not_timed(self):
        small = emerge.Topology.random(600, degree=10, seed=1)
        for one in features.FEATURES[2:]:
            told = {name: 2.0 * np.array(value) for name, value in one.told.items()}
            with pytest.raises(check.Wrong, match=one.name):
                features.hold(replace(one, told=told), small)

    def test_delays_that_are_wrong_are_not_timed(self, monkeypatch):
        delays, small = features.delays, emerge.Topology.random(100, degree=10, seed=1)
        late = delays.late_of(small, "between ticks", 10)
        assert delays.hold("delays", small, late) < 1e-13
        right = delays.swarm_of
        monkeypatch.setattr(delays, "swarm_of", lambda topology, late: right(topology, late + 0.5))
        with pytest.raises(check.Wrong, match="delays is wrong by"):
            delays.hold("delays", small, late)

    def test_the_gather_of_delays_looks_where_the_engine_does(self):
        ring, late = emerge.Topology.ring(5, degree=2), np.array([1.0, 2.0, 3.0, 1.0, 2.0])
        ago = {frozenset(edge): each for edge, each in zip(ring.edges.tolist(), late, strict=True)}
        seen = [(j, ago[frozenset((i, j))]) for i in range(5) for j in range(5) if frozenset((i, j)) in ago]
        where, size = features.delays.cells(ring, late)
        assert size == 5 * (3 + 3)
        assert [(cell % 5, 6 - cell // 5) for cell in where] == seen
        between, size = features.delays.cells(ring, late + 0.5)
        slots, line = 3 + 4, 3 + 4 + 3
        assert size == 5 * line
        oldest = [(j, max(int(ago) - 1, 0) + 3) for j, ago in seen]
        assert [(cell // line, -(cell % line) % slots) for cell in between[::4]] == [(j, a % slots) for j, a in oldest]
        assert (np.diff(between.reshape(10, 4), axis=1) == 1).all()

    def test_pulses_that_are_wrong_are_not_timed(self, monkeypatch):
        assert features.pulses.hold(100) < 1e-13
        monkeypatch.setattr(emerge, "IntegrateAndFire", lambda **law: emerge.pulse.IntegrateAndFire(2.1, 1.0, 0.01))
        with pytest.raises(check.Wrong, match=r"pulses, between avalanches is wrong by"):
            features.pulses.hold(100)

    def test_without_a_compiler_the_custom_model_is_left_out_by_name(self, monkeypatch, tmp_path):
        monkeypatch.setenv("CC", "no-such-compiler")
        chosen, left = features.features(tmp_path)
        assert chosen == features.FEATURES
        assert "custom model, compiled: no-such-compiler cannot be run" in left[0]


class TestSwing:
    def test_a_grid_is_held_against_the_oracle_and_timed(self, monkeypatch, tmp_path):
        pytest.importorskip("scipy", reason="extra graphs")
        monkeypatch.setenv("EMERGE_DATA", str(tmp_path))
        path = tmp_path / "found.jsonl"
        done = run("main", "--quick", "--only", "swing", "--output", path)
        assert done.returncode == 0, done.stderr
        lines = record.read(path)
        assert {line["who"] for line in lines} == {"alone", "picked"}
        assert all("drawn, without case9241pegase.m" in line["name"] for line in lines)
        assert all(line["checked_against"] == "oracle" and line["apart"] < 1e-13 for line in lines)
        assert "swing equation: RK4 steps on 9,241 buses" in done.stdout

    def test_one_that_is_wrong_is_not_timed(self):
        pytest.importorskip("scipy", reason="extra graphs")
        pair = emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], 2.0, load=[-1.0, 0.4, 0.6])
        features.swing.hold(pair)
        with pytest.raises(check.Wrong, match="swing equation is wrong"):
            features.swing.hold(pair, damping=2 * pair.damping)


class TestPictures:
    def test_they_are_drawn(self, tmp_path):
        pytest.importorskip("matplotlib", reason="extra plot")
        line = {"case": "complete, 1,000,000", "who": "picked", "name": "emerge, picked", "ns_per_agent_tick": 1.0}
        picture.speeds([line, line | {"who": "peer", "name": "peer"}], {"machine": "m"}, tmp_path / "speed.png")
        line |= {"agents": 1000, "precision": "double", "bytes_per_agent": 90.0}
        picture.growth([line, line | {"agents": 10**4}], {"machine": "m"}, {"L1": 1024}, tmp_path / "growth.png")
        for name in ("speed", "growth"):
            assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


class TestCompare:
    LINE = {  # noqa: RUF012 - only read
        "case": "complete, 100", "agents": 100, "who": "picked", "name": "emerge, picked", "threads": 1,
        "ns_per_agent_tick": 3.0, "machine": "this", "numpy": "2",
    }  # fmt: skip

    def file(self, path, *lines):
        path.write_text("".join(json.dumps(self.LINE | line) + "\n" for line in lines))
        return path

    def compared(self, monkeypatch, capsys, *paths):
        monkeypatch.setattr(sys, "argv", ["compare.py", *map(str, paths)])
        compare.main()
        return capsys.readouterr().out

    def test_two_results(self, tmp_path, monkeypatch, capsys):
        peer = {"who": "numpy_mean", "name": "NumPy", "threads": None}
        before = self.file(tmp_path / "a", {"ns_per_agent_tick": 9.0}, {}, peer)
        after = self.file(tmp_path / "b", {"ns_per_agent_tick": 1.5, "threads": 2, "machine": "that"}, {"agents": 7})
        told = self.compared(monkeypatch, capsys, before, after)
        assert re.search(r"emerge, picked +3\.00 +1\.50 +2\.00\n", told)
        assert "machine differs: 'this', then 'that'" in told
        assert "1 in both; 1 only before, 1 only after" in told
        assert "numpy differs" not in told

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (None, "not a result"),
            ("{", "not a result"),
            ('{"case": 1}\n', "not a result"),
            ("", "no measurement in common"),
        ],
    )
    def test_misuse(self, tmp_path, monkeypatch, capsys, text, said):
        good, bad = self.file(tmp_path / "good", {}), tmp_path / "bad"
        if text is not None:
            bad.write_text(text)
        with pytest.raises(SystemExit) as ended:
            self.compared(monkeypatch, capsys, good, bad)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
