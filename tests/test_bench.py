"""`emerge bench`: tables are complete, what is timed has been done, and bad words are refused."""

import json
import math

import pytest

from emerge import _engine, bench
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
        ],
    )
    def test_misuse(self, words, said):
        done = emerge_(*words)
        assert done.exit_code == 2
        assert not done.stdout
        assert sum(line.startswith("Error: ") for line in done.stderr.splitlines()) == 1
        assert said in done.stderr

    @pytest.mark.parametrize("words", [("bench", "--help"), ("bench", "concurrency", "--help")])
    def test_help(self, words):
        done = emerge_(*words)
        assert done.exit_code == 0
        assert "emerge bench concurrency" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 100
