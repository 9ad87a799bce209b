"""The command line: what it prints, writes and exits with."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import emerge

pytest.importorskip("click", reason="extra cli")
pytest.importorskip("rich", reason="extra cli")

from click.testing import CliRunner

from emerge import job
from emerge.cli import commands

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SMALL = ("--agents", "200", "--seed", "3")

CASE = """function mpc = tiny
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
  10 3 0 0 0 0 1 1 0 1 1 1.1 .9;
  20 1 40 0 0 0 1 1 0 1 1 1.1 .9;
  35 1 20 0 0 0 1 1 0 1 1 1.1 .9;
];
mpc.gen = [ 10 60 0 9 -9 1 100 1 99 0; ];
mpc.branch = [
  10 20 0 .5 0 0 0 0 0 0 1 -360 360;
  20 35 0 .4 0 0 0 0 0 0 1 -360 360;
  10 35 0 .8 0 0 0 0 0 0 1 -360 360;
];
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test works in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def emerge_(*words):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(word) for word in words], prog_name="emerge")


def run_json(*words):
    done = emerge_("run", *words, "--json")
    assert done.exit_code in (0, 3), done.output
    assert not done.stderr
    return json.loads(done.stdout)


def python(code, *words):
    """Run a few lines before the command in a process of its own."""
    code += "\nfrom emerge.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)


class TestRun:
    def test_reaches_its_target(self, here):
        done = emerge_("run", *SMALL)
        assert done.exit_code == 0
        assert "target reached: R ≥ 0.95" in done.stdout
        for word in ("200", "1,000", "Kuramoto, coupling 2", "normal:0,0.1", "updates/s", "wall time"):
            assert word in done.stdout
        assert str(Path("emerge-run", "run.png")) in done.stdout
        assert sorted(path.name for path in (here / "emerge-run").iterdir()) == ["result.npz", "run.png"]

    def test_defaults(self):
        work = job.prepare(job.Options())
        assert len(work.swarm) == 100_000
        assert work.swarm.topology.edge_count == 500_000
        assert work.swarm.model == emerge.Kuramoto(coupling=2.0)
        assert (work.dt, work.duration, work.target) == (0.01, 200.0, emerge.coherent(0.95))
        assert work.swarm.frequency.std() == pytest.approx(0.1, rel=0.01)

    def test_misses_its_target(self):
        done = emerge_("run", *SMALL, "--duration", 0.5)
        assert done.exit_code == 3
        assert "the duration of 0.5 was over before R ≥ 0.95" in done.stdout

    def test_is_over_in_time(self):
        done = emerge_("run", *SMALL, "--until", "never", "--duration", 0.5)
        assert done.exit_code == 0
        assert "the duration of 0.5 was over" in done.stdout
        assert "before" not in done.stdout.splitlines()[0]

    def test_times_out(self):
        facts = run_json(*SMALL, "--until", 1, "--duration", 1e7, "--timeout", 0.05)
        assert (facts["reason"], facts["exit_code"]) == ("timeout", 3)
        assert facts["seconds"] >= 0.05

    def test_locks(self):
        facts = run_json(*SMALL, "--until", "locked:1e-5", "--frequency", 1, "--duration", 2000, "--dt", 0.1)
        assert facts["reason"] == "reached"
        assert facts["until"] == "locked within 1e-05"

    def test_method_and_noise(self):
        plain, method, noise = (
            run_json(*SMALL, "--until", "never", "--duration", 2, *more)
            for more in ((), ("--method", "rk4"), ("--method", "heun", "--noise", 0.05))
        )
        assert (plain["method"], method["method"], noise["method"]) == ("euler", "rk4", "heun")
        assert noise["parameters"]["noise"] == 0.05
        assert len({facts["coherence"] for facts in (plain, method, noise)}) == 3

    def test_json_agrees_with_the_archive(self):
        facts = run_json(*SMALL, "--out", "there/deep", "--lag", 0.1, "--frequency", "uniform:-.1,.1")
        assert facts["files"] == {
            "result": str(Path("there/deep/result.npz")),
            "picture": str(Path("there/deep/run.png")),
        }
        with np.load(facts["files"]["result"], allow_pickle=False) as kept:
            assert str(kept["reason"]) == facts["reason"] == "reached"
            assert int(str(kept["seed"])) == facts["seed"] == 3
            assert len(kept["time"]) == len(kept["coherence"]) == facts["ticks"] + 1
            assert kept["time"][-1] == facts["time"]
            assert kept["coherence"][0] == pytest.approx(facts["coherence_before"], abs=1e-14)
            assert kept["coherence"][-1] == facts["coherence"]
            for name, level in (("phase_before", "coherence_before"), ("phase_after", "coherence")):
                assert abs(np.exp(1j * kept[name]).mean()) == pytest.approx(facts[level], abs=1e-13)
            assert np.abs(kept["frequency"]).max() <= 0.1
            parameters = json.loads(str(kept["parameters"]))
        assert parameters == {name: facts[name] for name in facts if name != "files"}
        assert parameters["parameters"] == {"coupling": 2.0, "lag": 0.1, "normalize": "weight"}

    def test_repeats_itself(self):
        one, again = (run_json(*SMALL, "--threads", threads) for threads in (1, 2))
        other = run_json("--agents", 200, "--seed", 4)
        same = ("time", "ticks", "coherence_before", "coherence")
        assert [one[name] for name in same] == [again[name] for name in same]
        assert one["coherence_before"] != other["coherence_before"]

    def test_writes_over_what_was_there(self, here):
        emerge_("run", *SMALL)
        first = run_json(*SMALL, "--seed", 5)
        with np.load(here / first["files"]["result"]) as kept:
            assert str(kept["seed"]) == "5"
        assert len(list((here / "emerge-run").iterdir())) == 2

    def test_threads_and_duration_that_fits_dt(self):
        assert run_json(*SMALL, "--dt", 0.07, "--until", "never")["duration"] == pytest.approx(200, abs=0.07)

    def test_warns_of_a_large_dt(self):
        facts = run_json(*SMALL, "--coupling", 30, "--normalize", "none", "--duration", 1)
        assert [note for note in facts["notes"] if "smaller --dt" in note]
        assert not run_json(*SMALL, "--duration", 1)["notes"]


class TestTopology:
    @pytest.mark.parametrize(
        ("words", "expected"),
        {
            "small-world": (["--degree", 4, "--rewire", 0.5], (60, 120)),
            "ring": ([], (60, 60)),
            "ring of degree 4": (["--topology", "ring", "--degree", 4], (60, 120)),
            "complete": ([], (60, 1770)),
            "star": ([], (60, 59)),
            "grid": ([], (60, 104)),
            "torus": ([], (60, 120)),
            "torus with sides": (["--topology", "torus", "--agents", "4x5x6"], (120, 360)),
            "random": (["--degree", 3.5], (60, 105)),
            "scale-free": (["--degree", 6], (60, 171)),
            "regular": (["--degree", 3], (60, 90)),
        }.items(),
        ids=lambda pair: pair if isinstance(pair, str) else "",
    )
    def test_made_by_name(self, words, expected):
        more, sizes = expected
        facts = run_json("--agents", 60, "--topology", words.split()[0], *more, "--until", "never", "--duration", 0.1)
        assert (facts["agents"], facts["edges"]) == sizes
        assert facts["graph"].startswith(words.split()[0])

    def test_every_name_can_be_made_without_more(self):
        for name in job.TOPOLOGIES:
            topology = job.prepare(job.Options(agents=(36,), topology=name)).swarm.topology
            assert len(topology) == 36
            assert topology.degree.min() > 0

    @pytest.mark.parametrize("n", [1, 2, 3, 4])
    def test_few_agents(self, n):
        for name in job.TOPOLOGIES:
            if (n, name) != (1, "scale-free"):
                assert len(job.prepare(job.Options(agents=(n,), topology=name)).swarm) == n
        assert job.prepare(job.Options(agents=(2,), topology="ring")).swarm.topology.edge_count == 1

    def test_lattice_is_nearly_square(self):
        assert run_json("--agents", 12, "--topology", "grid", "--duration", 0.1)["graph"] == "grid 3x4"


class TestFrequencies:
    @pytest.mark.parametrize(
        ("spec", "median", "spread"),
        [
            ("normal:2,.5", 2, 0.6745),
            ("uniform:-1,3", 1, 2),
            ("lorentz:1,.25", 1, 0.5),
            ("7", 7, 0),
            ("-1e-3", -1e-3, 0),
        ],
    )
    def test_are_drawn(self, spec, median, spread):
        drawn = job.Frequencies.parse(spec).draw(np.random.default_rng(1), 100_000)
        low, middle, high = np.percentile(drawn, [25, 50, 75])
        assert middle == pytest.approx(median, abs=0.02)
        assert high - low == pytest.approx(spread, abs=0.02)

    def test_are_drawn_apart_from_phases(self):
        spread = job.Frequencies.parse("uniform:0,1")
        swarm = job.prepare(job.Options(agents=(10_000,), topology="ring", frequency=spread)).swarm
        assert abs(np.corrcoef(swarm.frequency, swarm.phase)[0, 1]) < 0.05
        assert len({job.GRAPH, job.FREQUENCIES, job.PHASES, 0, 1}) == 5

    def test_tell_themselves(self):
        assert [str(job.Frequencies.parse(spec)) for spec in ("normal:0.0,.10", "2.50")] == ["normal:0,0.1", "2.5"]


class TestCase:
    def test_ticks_that_are_chosen_fit_the_duration_that_is_told(self):
        Path("tiny.m").write_text(CASE)
        assert run_json("tiny.m", "--duration", "20")["dt"] == pytest.approx(20 / 22)  # none longer than .95

    def test_settles_on_the_power_flow(self):
        Path("tiny.m").write_text(CASE)
        facts = run_json("tiny.m")
        assert facts["reason"] == "reached"
        assert facts["until"] == "locked within 1e-07"
        assert (facts["dt"], facts["parameters"]["coupling"], facts["frequency"]) == (0.95, 1.0, "from the file")
        assert any("lossless" in note for note in facts["notes"])
        with np.load(facts["files"]["result"]) as kept:
            phase, labels = kept["phase_after"], kept["labels"].tolist()
            assert np.abs(np.angle(np.exp(1j * kept["phase_before"]))).max() <= np.pi / 2
        assert labels == ["10", "20", "35"]
        flow = [2.0, 2.5, 1.25] * np.sin(phase[[0, 1, 0]] - phase[[1, 2, 2]])  # 1/|x|: balance at buses 10 and 35
        assert flow[0] + flow[2] == pytest.approx(0.6, abs=1e-5)
        assert flow[1] + flow[2] == pytest.approx(0.2, abs=1e-5)
        widest = phase[0] - phase[1]
        assert facts["largest_angle"]["between"] == ["10", "20"]
        assert facts["largest_angle"]["degrees"] == pytest.approx(np.degrees(np.angle(np.exp(1j * widest))), abs=1e-9)

    def test_says_where_the_largest_angle_is(self):
        Path("tiny.m").write_text(CASE)
        done = emerge_("run", "tiny.m")
        assert done.exit_code == 0
        assert "over the line 10 – 20" in done.stdout
        assert "lossless" in done.stdout

    def test_settings_can_be_chosen(self):
        Path("tiny.m").write_text(CASE)
        words = ("--coupling", 2, "--dt", 0.05, "--duration", 1, "--until", "never", "--frequency", "normal:0,.1")
        facts = run_json("tiny.m", *words)
        assert (facts["dt"], facts["ticks"], facts["frequency"]) == (0.05, 20, "normal:0,0.1")
        assert facts["parameters"]["coupling"] == 2.0

    def test_dt_suits_the_coupling(self):
        Path("tiny.m").write_text(CASE)
        facts = run_json("tiny.m", "--coupling", 4, "--normalize", "none")
        assert facts["reason"] == "reached"
        assert facts["dt"] == pytest.approx(0.95 / (4 * 4.5), rel=1e-2)  # bus 20 has the largest weight, 2 + 2.5

    @pytest.mark.skipif(not (DATA / "case2869pegase.m").is_file(), reason="no case2869pegase.m beside the project")
    def test_european_grid(self):
        facts = run_json(DATA / "case2869pegase.m")
        assert facts["reason"] == "reached"
        assert (facts["agents"], facts["edges"]) == (2869, 3968)
        assert facts["largest_angle"]["degrees"] == pytest.approx(25.1, abs=0.1)
        labels = emerge.Topology.read(DATA / "case2869pegase.m").labels
        assert set(facts["largest_angle"]["between"]) <= set(labels.tolist())

    @pytest.mark.slow
    @pytest.mark.skipif(not (DATA / "case9241pegase.m").is_file(), reason="no case9241pegase.m beside the project")
    def test_larger_european_grid(self):
        facts = run_json(DATA / "case9241pegase.m")
        assert facts["reason"] == "reached"
        assert facts["largest_angle"]["degrees"] == pytest.approx(27.6, abs=0.1)


class TestInfo:
    def test_table(self):
        Path("web.txt").write_text("0 1\n1 2\n2 0\n4 4\n0 1\n")
        done = emerge_("info", "web.txt")
        assert done.exit_code == 0
        for word in ("web.txt (edge list)", "agents", "0 to 2", "self-loop", "isolated agents"):
            assert word in done.stdout

    def test_json(self):
        pytest.importorskip("scipy", reason="extra graphs")
        Path("web.txt").write_text("0 1 2\n1 2 1\n2 0 1\n4 4 1\n0 1 1\n")
        facts = json.loads(emerge_("info", "web.txt", "--json").stdout)
        notes = facts.pop("notes")
        assert facts == {
            "file": "web.txt", "format": "edge list", "agents": 5, "edges": 3, "directed": False, "weighted": True,
            "degree": {"min": 0, "mean": 1.2, "max": 2}, "components": 3, "isolated": 2, "labels": False,
            "frequencies": False,
        }  # fmt: skip
        assert any("self-loop" in note for note in notes)

    def test_case(self):
        Path("tiny.m").write_text(CASE)
        facts = json.loads(emerge_("info", "tiny.m", "--json").stdout)
        assert (facts["format"], facts["labels"], facts["frequencies"]) == ("MATPOWER case", True, True)

    def test_directed(self):
        pytest.importorskip("scipy", reason="extra graphs")
        Path("way.mtx").write_text("%%MatrixMarket matrix coordinate real general\n3 3 1\n1 2 1.0\n")
        facts = json.loads(emerge_("info", "way.mtx", "--json").stdout)
        assert (facts["directed"], facts["isolated"], facts["edges"]) == (True, 1, 1)


BAD = {
    "no such file": (["run", "nowhere.txt"], "nowhere.txt"),
    "no such file to tell of": (["info", "nowhere.txt"], "nowhere.txt"),
    "empty file": (["run", "empty.txt"], "empty.txt is empty"),
    "a directory": (["info", "."], "."),
    "unknown ending": (["run", "graph.xyz"], "graph.xyz"),
    "no graph": (["run", "bad.txt"], "bad.txt, line 2"),
    "no case": (["run", "bad.m"], "bad.m"),
    "file and agents": (["run", "web.txt", "--agents", "5"], "--agents is for generated graphs"),
    "file and degree": (["run", "web.txt", "--degree", "5"], "--degree is for generated graphs"),
    "no agents": (["run", "--agents", "0"], "agents must be from 1 to"),
    "too many agents": (["run", "--agents", "3000000000"], "agents must be from 1 to"),
    "sides of a ring": (["run", "--topology", "ring", "--agents", "3x4"], "only grid and torus have sides"),
    "prime grid": (["run", "--topology", "grid", "--agents", "101"], "101 agents make no grid near a square"),
    "degree of a star": (["run", "--topology", "star", "--degree", "3"], "--degree does not go with star"),
    "rewired ring": (["run", "--topology", "ring", "--rewire", ".1"], "--rewire is for small-world"),
    "odd degree": (["run", "--agents", "20", "--degree", "3"], "degree must be even"),
    "half a degree": (["run", "--agents", "20", "--degree", "2.5"], "whole number"),
    "odd scale-free": (["run", "--topology", "scale-free", "--degree", "3"], "must be even"),
    "rewire": (["run", "--agents", "20", "--rewire", "2"], "rewire must be at most 1"),
    "infinite coupling": (["run", *SMALL, "--coupling", "inf"], "coupling must be finite"),
    "dt": (["run", *SMALL, "--dt", "0"], "dt must be greater than 0"),
    "method": (["run", *SMALL, "--method", "rk4", "--noise", "1"], "method='rk4' cannot serve noise"),
    "inertia": (["run", *SMALL, "--method", "verlet"], "method='verlet' is for models with inertia"),
    "noise": (["run", *SMALL, "--noise", "-1"], "noise must be at least 0"),
    "dt no number": (["run", *SMALL, "--dt", "nan"], "dt must be finite"),
    "duration": (["run", *SMALL, "--duration", "-1"], "duration must be greater than 0"),
    "broken duration": (["run", *SMALL, "--duration", "0.015"], "whole number of ticks"),
    "timeout": (["run", *SMALL, "--timeout", "0"], "timeout must be greater than 0"),
    "seed": (["run", *SMALL, "--seed", "-1"], "seed must be at least 0"),
    "threads": (["run", *SMALL, "--threads", "0"], "threads must be"),
    "out is a file": (["run", *SMALL, "--out", "web.txt"], "web.txt: File exists"),
    "diverges": (["run", *SMALL, "--frequency", "1e308", "--dt", "1e3", "--duration", "1e3"], "agent"),
}

MISUSED = {
    "no command": (["walk"], "walk"),
    "unknown option": (["run", "--speed", "3"], "--speed"),
    "unknown topology": (["run", "--topology", "tree"], "tree"),
    "agents": (["run", "--agents", "many"], "whole number"),
    "frequency": (["run", "--frequency", "gauss:0,1"], "normal:MEAN,SPREAD"),
    "frequency with one number": (["run", "--frequency", "normal:0"], "normal:MEAN,SPREAD"),
    "frequency is no number": (["run", "--frequency", "fast"], "must be a number"),
    "negative spread": (["run", "--frequency", "normal:0,-1"], "at least 0"),
    "upside down": (["run", "--frequency", "uniform:1,0"], "low end first"),
    "goal": (["run", "--until", "soon"], "locked:TOLERANCE"),
    "goal above 1": (["run", "--until", "1.5"], "at most 1"),
    "goal 0": (["run", "--until", "0"], "greater than 0"),
    "tolerance": (["run", "--until", "locked:0"], "greater than 0"),
    "never with more": (["run", "--until", "never:1"], "never"),
    "normalize": (["run", "--normalize", "degree"], "degree"),
    "no file": (["info"], "GRAPH"),
}


class TestBadInput:
    @pytest.mark.parametrize(("words", "said"), BAD.values(), ids=BAD)
    def test_is_one_sentence(self, words, said):
        Path("empty.txt").touch()
        Path("graph.xyz").touch()
        Path("web.txt").write_text("0 1\n")
        Path("bad.txt").write_text("0 1\n2 x\n")
        Path("bad.m").write_text("mpc.baseMVA = 100;\n")
        for more in ([], ["--json"]):
            done = emerge_(*words, *more)
            assert done.exit_code == 2
            assert not done.stdout
            assert done.stderr.startswith("emerge: ")
            assert done.stderr.count("\n") == 1
            assert said in done.stderr
        assert not Path("emerge-run").exists() or "agent" in said

    @pytest.mark.parametrize(("words", "said"), MISUSED.values(), ids=MISUSED)
    def test_is_a_usage_error(self, words, said):
        done = emerge_(*words)
        assert done.exit_code == 2
        assert not done.stdout
        assert "Usage: emerge" in done.stderr
        assert said in " ".join(done.stderr.split())

    def test_memory_that_is_not_there(self, monkeypatch):
        def refuse(_):
            raise MemoryError

        monkeypatch.setattr("emerge.job.prepare", refuse)
        done = emerge_("run")
        assert (done.exit_code, done.stderr) == (2, "emerge: there is not enough memory\n")

    def test_interrupted_before_the_run(self, monkeypatch):
        def interrupt(_):
            raise KeyboardInterrupt

        monkeypatch.setattr("emerge.job.prepare", interrupt)
        done = emerge_("run")
        assert (done.exit_code, done.stderr) == (130, "emerge: interrupted\n")

    def test_interrupted_before_the_first_tick(self, here, monkeypatch):
        def interrupt(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("emerge.Swarm.run", interrupt)
        done = emerge_("run", *SMALL, "--json")
        facts = json.loads(done.stdout)
        assert (done.exit_code, facts["reason"], facts["ticks"]) == (130, "interrupted", 0)
        with np.load(here / "emerge-run" / "result.npz") as kept:
            assert kept["time"].tolist() == [0.0]
            np.testing.assert_array_equal(kept["phase_before"], kept["phase_after"])


class TestHelp:
    def test_version(self):
        done = emerge_("--version")
        assert done.exit_code == 0
        found = emerge.about()
        assert done.stdout.splitlines()[0] == f"emerge {emerge.__version__}"
        for value in (found.compiler, str(found.openmp), f"workers           {found.workers}"):
            assert value in done.stdout

    @pytest.mark.parametrize("words", [["--help"], ["run", "-h"], ["info", "--help"]])
    def test_pages_have_examples(self, words):
        done = emerge_(*words)
        assert done.exit_code == 0
        assert "emerge " in done.stdout.partition("\n\n")[2]
        assert max(map(len, done.stdout.splitlines())) <= 100

    def test_examples_run(self):
        """Every example of the run page is a command that is understood."""
        Path("web.txt").write_text("0 1\n1 2\n")
        Path("grid.m").write_text(CASE)
        page = emerge_("run", "--help").stdout
        examples = [line.split()[2:] for line in page.splitlines() if line.startswith("    emerge run")]
        assert len(examples) >= 5
        for words in examples:
            few = [] if "--topology" in words or any("." in word for word in words) else ["--agents", "50"]
            done = emerge_("run", *words[0:], *few, "--timeout", 0.5)
            assert done.exit_code in (0, 3), done.output


class TestProcess:
    def test_module(self, here):
        done = subprocess.run(
            [sys.executable, "-m", "emerge", "run", *SMALL], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0
        assert done.stderr == ""  # the bar is for terminals
        assert "target reached" in done.stdout
        assert (here / "emerge-run" / "run.png").is_file()

    def test_output_that_cannot_show_a_sign(self):
        done = subprocess.run(
            [sys.executable, "-m", "emerge", "run", *SMALL],
            capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert "target reached: R ? 0.95" in done.stdout

    @pytest.mark.parametrize("library", ["click", "rich"])
    def test_without_the_extra(self, library):
        done = python(f"import sys; sys.modules[{library!r}] = None", "run")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"emerge: the command line needs {library}, which is not installed: pip install 'emerge-swarm[cli]'\n"
        )

    def test_without_matplotlib(self, here):
        done = python("import sys; sys.modules['matplotlib'] = None", "run", *SMALL, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        facts = json.loads(done.stdout)
        assert facts["files"]["picture"] is None
        assert any("pip install 'emerge-swarm[plot]'" in note for note in facts["notes"])
        assert [path.name for path in (here / "emerge-run").iterdir()] == ["result.npz"]

    def test_without_scipy(self):
        Path("web.txt").write_text("0 1\n")
        done = python("import sys; sys.modules['scipy'] = None", "info", "web.txt", "--json")
        facts = json.loads(done.stdout)
        assert facts["components"] is None
        assert any("pip install 'emerge-swarm[graphs]'" in note for note in facts["notes"])

    def test_matplotlib_waits_for_the_picture(self):
        Path("web.txt").write_text("0 1\n")
        code = "import atexit, sys; atexit.register(lambda: print('matplotlib' in sys.modules, file=sys.stderr))"
        assert python(code, "info", "web.txt").stderr == "False\n"
        assert python(code, "run", *SMALL).stderr == "True\n"

    @pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
    @pytest.mark.parametrize("more", [(), ("--json",)], ids=["table", "json"])
    def test_interrupt(self, here, more):
        import pty

        screen, terminal = pty.openpty()
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        if more:  # no bar: the first batch tells instead
            code += (
                "import emerge.run, sys\nnext_ = emerge.run.Run._due\n"
                "def tell(run):\n    if run.ticks: print('t =', file=sys.stderr, flush=True)\n    return next_(run)\n"
                "emerge.run.Run._due = tell\n"
            )
        code += "from emerge.__main__ import main; main()"
        words = ["run", *SMALL, "--until", "never", "--duration", "1e8", *more]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=terminal,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
        )  # fmt: skip
        os.close(terminal)
        try:
            shown = watch(screen, rb"t =" if more else rb"t = [1-9]")
            process.send_signal(signal.SIGINT)
            shown += watch(screen)
            out = process.communicate(timeout=30)[0].decode()
        finally:
            process.kill()
            process.wait()
            os.close(screen)
        assert process.returncode == 130
        assert b"Traceback" not in shown
        assert b"emerge:" not in shown
        if more:
            facts = json.loads(out)
            assert facts["reason"] == "interrupted"
            assert facts["ticks"] > 0
        else:
            assert "interrupted" in out
            assert b"R = " in shown
            assert b"ETA" in shown
        with np.load(here / "emerge-run" / "result.npz") as kept:
            assert str(kept["reason"]) == "interrupted"
            assert len(kept["time"]) == len(kept["coherence"]) > 1
        assert (here / "emerge-run" / "run.png").is_file()


def watch(screen, wanted=None):
    """Read a pseudo-terminal until a pattern shows, or to its end."""
    seen, deadline = b"", time.monotonic() + 30
    while wanted is None or not re.search(wanted, seen):
        ready = select.select([screen], [], [], max(0.0, deadline - time.monotonic()))[0]
        assert ready, f"nothing new within 30 s after {seen!r}"
        try:
            part = os.read(screen, 65536)
        except OSError:  # Linux, when the other side is closed
            part = b""
        if not part:
            assert wanted is None, f"ended with {seen!r}"
            return seen
        seen += part
    return seen


@pytest.mark.parametrize("words", [["--frequency=uniform:-1e308,1e308"], ["--dt", "1e-308"]])
def test_numbers_beyond_all_bounds_get_a_sentence(words):
    done = CliRunner().invoke(commands, ["run", "--agents", "50", *words])
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
