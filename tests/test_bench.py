"""`emerge bench`: tables are complete, what is timed has been done, and bad words are refused."""

import json
import math
from dataclasses import replace

import pytest

from emerge import _engine, bench, speed
from emerge.errors import InvalidValue
from emerge.swarm import Swarm

pytest.importorskip("click", reason="extra cli")
pytest.importorskip("rich", reason="extra cli")

from click.testing import CliRunner

from emerge.cli import commands

WAYS = ("mutex", "atomic", "channel", "rcu", "inbox", "ring")


def emerge_(*words):
    return CliRunner().invoke(commands, list(words), prog_name="emerge")


@pytest.fixture(scope="module")
def facts():
    done = emerge_("bench", "concurrency", "--quick", "--json")
    assert done.exit_code == 0, done.output
    assert not done.stderr
    return json.loads(done.stdout)


class TestTrials:
    @pytest.mark.parametrize("threads", [1, 2, 5])
    @pytest.mark.parametrize("way", WAYS)
    def test_from_c_makes_every_update(self, way, threads):
        before = _engine.allocations()
        cost = _engine.trial(way, threads, 500)
        assert cost > 0 or math.isnan(cost)
        assert _engine.allocations() == before

    def test_channel_with_more_rounds_than_slots(self):
        assert _engine.trial("channel", 1, 1) >= 0
        assert _engine.trial("channel", 3, 1000) > 0

    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("way", bench.PYTHON)
    def test_from_python_makes_every_update(self, way, threads):
        assert bench.PYTHON[way](threads, 300) > 0

    def test_a_lost_update_is_told(self, monkeypatch):
        engine_nudge, lost = Swarm.nudge, iter([True])

        def nudge(swarm, agents, angle):
            if not next(lost, False):
                engine_nudge(swarm, agents, angle)

        monkeypatch.setattr(Swarm, "nudge", nudge)
        with pytest.raises(RuntimeError, match="nudge were lost"):
            bench.PYTHON["inbox"](1, 100)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("semaphore", 1, 1), "no trial is named 'semaphore': there are mutex, atomic, channel, rcu, inbox, ring"),
            (("mutex", 0, 1), "at least one thread"),
            (("mutex", 1, 0), "one round"),
        ],
    )
    def test_what_is_no_trial_is_refused(self, words, said):
        with pytest.raises(InvalidValue, match=said):
            _engine.trial(*words)


class TestFacts:
    def test_every_way_has_its_figures(self, facts):
        costs = {cost["way"]: cost for cost in facts["costs"]}
        assert list(costs) == [*bench.WAYS.values(), bench.MANY]
        for name in ("mutex", "atomic", "channel", "inbox", "ring"):
            figures = costs[bench.WAYS[name]]
            assert all(figures[key] > 0 for key in ("c", "c_contended", "python", "python_contended"))
        read, many = costs[bench.WAYS["rcu"]], costs[bench.MANY]
        assert read["c"] > 0
        assert read["python"] is read["python_contended"] is many["c"] is many["c_contended"] is None

    def test_every_size_has_every_team(self, facts):
        assert [row["agents"] for row in facts["ticks"]] == [10, 100, 1000]
        for row in facts["ticks"]:
            assert row["workers"] == [1, 2, 4, 8, 16]
            assert len(row["nanoseconds"]) == 5
            assert min(row["nanoseconds"]) > 0
            assert row["picked"] == 1
            assert row["picked_nanoseconds"] > 0

    def test_goals_are_judged(self, facts):
        assert len(facts["goals"]) == 11
        for goal in facts["goals"]:
            within = goal["found"] >= goal["wanted"] if goal["least"] else goal["found"] <= goal["wanted"]
            assert goal["met"] is within

    def test_a_figure_that_is_missing_meets_no_goal(self):
        assert not bench.Goal("", "", 1.0, math.nan).met
        assert not bench.Goal("", "", 1.0, math.nan, least=True).met


class TestCommand:
    def test_tables(self):
        done = emerge_("bench", "concurrency", "--quick")
        assert done.exit_code == 0, done.output
        for word in (*bench.WAYS.values(), bench.MANY, "C, contended", "16 workers", "1,000", "*", "–", "Goals"):
            assert word in done.stdout

    def test_where_c_cannot_tell(self, monkeypatch):
        monkeypatch.setattr(_engine, "trial", lambda *_: math.nan)
        done = emerge_("bench", "concurrency", "--quick", "--json")
        assert done.exit_code == 0, done.output
        costs = json.loads(done.stdout)["costs"]
        assert {cost["c"] for cost in costs} == {None}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("bench", "parallelism"), "No such command 'parallelism'"),
            (("bench", "concurrency", "--slow"), "No such option"),
            (("bench", "concurrency", "5"), "unexpected extra argument"),
            (("bench", "speed", "--slow"), "No such option"),
            (("bench", "speed", "5"), "unexpected extra argument"),
        ],
    )
    def test_misuse(self, words, said):
        done = emerge_(*words)
        assert done.exit_code == 2
        assert not done.stdout
        assert sum(line.startswith("Error: ") for line in done.stderr.splitlines()) == 1
        assert said in done.stderr

    @pytest.mark.parametrize("words", [("--help",), ("concurrency", "--help"), ("speed", "--help")])
    def test_help(self, words):
        done = emerge_("bench", *words)
        assert done.exit_code == 0
        assert f"emerge bench {words[0] if len(words) > 1 else 'speed'}" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.fixture(scope="module")
def speeds():
    done = emerge_("bench", "speed", "--quick", "--json")
    assert done.exit_code == 0, done.output
    assert not done.stderr
    return json.loads(done.stdout)


class TestSpeed:
    def test_every_graph_has_its_figures(self, speeds):
        assert {tick["graph"] for tick in speeds["ticks"]} == set(speed.GRAPHS)
        assert {tick["precision"] for tick in speeds["ticks"]} == {"double", "single"}
        for tick in speeds["ticks"]:
            assert tick["agents"] == 1000
            assert min(tick["alone"], tick["picked"], tick["bytes"]) > 0
            assert tick["workers"] >= 1
            assert tick["stored"] or tick["graph"] != "random"
        assert speeds["call"] > 0
        assert speeds["machine"]

    def test_goals_are_judged(self, speeds):
        assert [goal["unit"] for goal in speeds["goals"]] == ["µs", "µs", "ns", "ns"]
        for goal in speeds["goals"]:
            assert goal["met"] is (goal["found"] <= goal["wanted"])

    def test_large_cases_have_goals_of_memory_and_team(self):
        tick = speed.Tick("random", 10**5, 10**6, True, "single", 32e5, 16e5, 2, 79.0)
        memory, team = speed.goals_of(tick)
        assert (memory.wanted, memory.met) == (80.0, True)
        assert (team.found, team.met) == (2.0, True)
        assert not speed.goals_of(replace(tick, bytes=81.0))[0].met
        assert not speed.goals_of(replace(tick, picked=32e5))[1].met

    def test_table(self):
        done = emerge_("bench", "speed", "--quick")
        assert done.exit_code == 0, done.output
        for word in (*speed.GRAPHS, "1 worker", "picked", "single", "–", "Goals", "call of a step"):
            assert word in done.stdout

    def test_a_wrong_tick_is_not_timed(self, monkeypatch):
        step = Swarm.step
        monkeypatch.setattr(Swarm, "step", lambda swarm, ticks=1, *, dt=0.01: step(swarm, ticks, dt=1.0001 * dt))
        with pytest.raises(RuntimeError, match=r"rad from where the equation has it: random, 100$"):
            speed.swarms_of(speed.Case("random", 100), speed.GRAPHS["random"](100))

    def test_a_team_that_differs_is_not_timed(self, monkeypatch):
        step, made = Swarm.step, []

        def other(swarm, ticks=1, *, dt=0.01):
            if swarm not in made:
                made.append(swarm)
            step(swarm, ticks, dt=dt if swarm is made[0] else dt + 1e-15)

        monkeypatch.setattr(Swarm, "step", other)
        with pytest.raises(RuntimeError, match=r"one worker and 1 differ: ring lattice, 100$"):
            speed.swarms_of(speed.Case("ring lattice", 100), speed.GRAPHS["ring lattice"](100))


class TestTiming:
    def test_the_least_of_turns_is_kept(self):
        order = []

        def way(name, *seconds):
            times = iter(seconds)

            def told(ticks):
                order.append(name)
                return next(times) * ticks

            return told

        # Half a second a tick is long enough at once: one call to find that out, then the turns.
        ways = {"one": way("one", 0.5, 0.7, 0.6, 0.9), "other": way("other", 0.6, 0.8, 0.9, 0.7)}
        assert speed.fastest(ways, speed.Effort(0.05, 3, 1)) == {"one": 0.6e9, "other": 0.7e9}
        assert order == ["one", "other"] + ["one", "other"] * 3

    def test_what_a_call_costs_is_drowned(self):
        counts = []

        def way(ticks):
            counts.append(ticks)
            return 0.01 + 1e-4 * ticks

        found = speed.fastest({"way": way}, speed.Effort(0.001, 1, 1))["way"]
        assert 1e5 <= found <= 1.2e5
        assert counts == [4**power for power in range(6)] + [4**5]

    @pytest.mark.parametrize(("busy", "naps"), [(3, 4), (10**9, 1000)])
    def test_idle_waits_for_threads_that_spin_but_not_for_ever(self, monkeypatch, busy, naps):
        clock, used, slept = [0.0], [0.0], []

        def sleep(seconds):
            slept.append(seconds)
            clock[0] += seconds
            used[0] += seconds if len(slept) <= busy else 0.0

        monkeypatch.setattr(speed, "perf_counter", lambda: clock[0])
        monkeypatch.setattr(speed, "process_time", lambda: used[0])
        monkeypatch.setattr(speed, "sleep", sleep)
        speed.idle(1.0)
        assert len(slept) == pytest.approx(naps, abs=1)
