"""A run: how it ends, what it records, how it is watched and interrupted."""

import _thread
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import oracle
import pytest

import emerge
from emerge import team

MODEL = emerge.Kuramoto(coupling=2.0)


def swarm(n=1000, **more):
    web = emerge.Topology.small_world(n, degree=10 if n > 10 else 4, rewire=0.2, seed=1)
    more.setdefault("frequency", np.random.default_rng(2).normal(0, 0.1, n))
    return emerge.Swarm(web, MODEL, seed=3, **more)


class TestEnding:
    def test_duration(self):
        one = swarm()
        result = one.run(0.5)
        assert (result.reason, result.ticks) == ("duration", 50)
        assert result.time == one.time == 50 * 0.01
        assert result.coherence == one.coherence == pytest.approx(oracle.coherence(one.phase), abs=1e-14)
        assert result.rate > 0
        assert one.result is result
        assert "duration at t = 0.5 after 50 ticks" in str(result)

    def test_coherence_is_reached_at_the_first_such_tick(self):
        one = swarm()
        result = one.run(200.0, until=emerge.coherent(0.9), record="coherence")
        assert result.reason == "reached"
        r = result.history.coherence
        assert r[-1] >= 0.9 > r[:-1].max()

    def test_a_target_is_tested_before_the_first_tick(self):
        one = swarm(phase=1.0)
        assert one.run(10.0, until=emerge.coherent(0.9)).ticks == 0
        still = emerge.Swarm(emerge.Topology.ring(50), MODEL, phase=1.0, frequency=0.4)
        result = still.run(10.0, until=emerge.locked(1e-12))
        assert (result.reason, result.ticks) == ("reached", 0)

    @pytest.mark.parametrize("threads", [1, 3])
    def test_locked(self, threads):
        one = swarm(2000, frequency=np.random.default_rng(2).normal(0, 0.02, 2000), threads=threads)
        tolerance = 1e-4
        result = one.run(2000.0, dt=0.05, until=emerge.locked(tolerance))
        assert result.reason == "reached"
        edges, weights = oracle.both_ways(one.topology)
        rates = oracle.rates(one.phase, one.frequency, edges, weights, coupling=2.0)
        assert np.ptp(rates) < tolerance
        assert result.ticks > 10

    def test_a_callable_is_asked_when_due(self):
        times = []
        one = swarm()

        def until(seen):
            times.append(seen.time)
            return seen.time >= 0.25

        result = one.run(1.0, until=until, every=0.1)
        assert result.reason == "reached"
        assert times == pytest.approx([0.0, 0.1, 0.2, 0.3])
        assert result.ticks == 30

    def test_a_callable_is_asked_at_the_end(self):
        times = []
        result = swarm().run(0.25, until=lambda seen: times.append(seen.time), every=0.1)
        assert result.reason == "duration"
        assert times == pytest.approx([0.0, 0.1, 0.2, 0.25])

    def test_timeout(self):
        result = swarm().run(1e9, timeout=0.05)
        assert result.reason == "timeout"
        assert 0 < result.ticks < 1e11

    def test_an_error_of_a_callable_leaves_the_swarm_usable(self):
        one = swarm()

        def until(seen):
            if seen.time > 0.2:
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            one.run(1.0, until=until, every=0.1)
        assert one.result.reason == "stopped"
        one.step()

    def test_divergence_names_agent_and_time_and_keeps_the_last_finite_state(self):
        n = 700
        frequency = np.zeros(n)
        frequency[[650, 660]] = 1e300
        one = emerge.Swarm(emerge.Topology.ring(n), MODEL, frequency=frequency, seed=1, threads=2)
        with pytest.raises(emerge.Diverged, match=r"agent 650 .* smaller dt"):
            one.run(1.0, record="coherence")
        assert np.all(np.isfinite(one.phase))
        assert (one.result.reason, one.result.ticks) == ("diverged", 1)
        one.frequency = 0.0
        assert one.run(0.5).reason == "duration"


def test_a_batch_ends_in_time_even_if_ticks_grow_a_thousandfold():
    """A batch that was planned for short ticks gives Python its turn all the same."""
    one = emerge.Swarm(emerge.Topology.ring(4000), MODEL, seed=1, threads=1)
    one.step(2000)
    one.topology = emerge.Topology.random(4000, degree=500, seed=1)
    told = []
    before = one.metrics()
    one.run(1.0, progress=lambda now: told.append(now.ticks))
    after = one.metrics()
    assert told[0] < 100
    assert after.batches - before.batches > 2


def test_a_batch_ends_when_its_time_is_over_and_not_much_later():
    """A tick of a millisecond, at least: so five of them, at most, whatever else the machine does."""
    engine = swarm(10, threads=1)._engine
    engine.handicap(0, 1_000_000, True)
    with engine:
        engine.begin(0.01)
        assert engine.advance(10**9, 1, 0.005) == "running"
    assert 1 <= engine.done <= 6
    assert engine.took >= 0.005
    with engine:
        engine.begin(0.01)
        assert engine.advance(3, 1, 60.0) == "running"
    assert engine.done == 3


@pytest.mark.parametrize("threads", [1, None])
class TestStepping:
    """Where one team alone may serve, a step is one call of the engine; else it goes from batch to batch as a run."""

    def test_it_has_the_bits_of_a_run_and_tells_nothing(self, threads, caplog):
        one = swarm(2000, threads=threads)
        other = swarm(2000)
        with one.events.subscribe() as inbox, caplog.at_level("DEBUG", "emerge"):
            for ticks in (1, 1, 48):
                one.step(ticks)
        assert (len(inbox), caplog.records, one.result) == (0, [], None)
        other.run(0.5)
        assert np.array_equal(one.phase, other.phase)
        assert one.time == other.time

    def test_ctrl_c_ends_it_between_two_ticks(self, threads):
        one, other = swarm(2000, threads=threads), swarm(2000)
        one.step()  # the first one chooses the team

        def interrupt():
            while one.metrics().batches == 1:
                pass
            _thread.interrupt_main()

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            one.step(2**40)
        thread.join(30)
        ticks = one.metrics().ticks
        assert 1 < ticks < 2**40
        other.step(ticks)
        assert np.array_equal(one.phase, other.phase)
        one.step()
        assert one.check() == ()

    def test_within_a_run_it_is_refused_and_the_run_goes_on(self, threads):
        one = swarm(2000, threads=threads)
        one.step()

        def until(seen):
            with pytest.raises(emerge.Busy):
                seen.step()
            with pytest.raises(emerge.Busy):
                seen.run(1.0)
            return False

        assert one.run(0.2, until=until).ticks == 20
        one.step()

    def test_after_an_error_it_can_go_on(self, threads):
        one = swarm(2000, threads=threads)
        for _ in range(2):  # the first step chooses the team
            one.frequency = 1e300
            with pytest.raises(emerge.Diverged, match="agent 0"):
                one.step(3)
            one.frequency = 0.0
            one.step(3)
        assert one.metrics().ticks == 8


def test_another_team_is_chosen_for_another_topology(monkeypatch):
    monkeypatch.setattr(team, "default_threads", lambda: 2)
    one = emerge.Swarm(emerge.Topology.ring(5000), MODEL, seed=1)
    one.step()
    assert one.metrics().workers == 1
    one.topology = emerge.Topology.random(5000, degree=1000, seed=1)
    one.step()
    assert one.metrics().workers == 2


class TestTime:
    def test_time_is_never_summed(self):
        one = swarm(10)
        for _ in range(1000):
            one.step(dt=0.1)
        assert one.time == 1000 * 0.1
        one.step(dt=0.5)
        assert one.time == 1000 * 0.1 + 0.5

    def test_runs_in_pieces_give_the_same_bits(self):
        one, two = swarm(), swarm()
        one.run(1.0)
        two.run(0.3), two.step(20), two.run(0.5)
        assert np.array_equal(one.phase, two.phase)
        assert one.time == two.time

    @pytest.mark.parametrize(
        ("duration", "dt", "says"),
        [
            (0.0, 0.01, "greater than 0"),
            (-1.0, 0.01, "greater than 0"),
            (np.nan, 0.01, "finite"),
            (1.0, 0.0, "greater than 0"),
            (1.0, -0.1, "greater than 0"),
            (1.0, np.inf, "finite"),
            (1.005, 0.01, r"1\.005 is not, 1 is|1\.005 is not, 1\.01 is"),
            (0.004, 0.01, r"0\.004 is not, 0\.01 is"),
            (1e300, 1e-10, "too many ticks"),
        ],
    )
    def test_refused(self, duration, dt, says):
        with pytest.raises(emerge.InvalidValue, match=says):
            swarm(10).run(duration, dt=dt)

    @pytest.mark.parametrize("dt", [0.01, 0.1, 0.3, 1 / 3, 0.007])
    def test_whole_numbers_of_ticks_are_let_in_despite_rounding(self, dt):
        for ticks in (1, 7, 1000):
            assert swarm(10).run(ticks * dt, dt=dt, until=emerge.coherent(1e-9)).reason == "reached"


@pytest.mark.parametrize(
    ("more", "kind", "says"),
    [
        ({"until": 0.95}, TypeError, "emerge.coherent"),
        ({"every": 0.1}, ValueError, "callable until"),
        ({"every": 0.1, "until": emerge.coherent(0.5)}, ValueError, "callable until"),
        ({"every": 0.015, "until": print}, ValueError, "every must be a whole number of ticks"),
        ({"timeout": 0}, ValueError, "timeout"),
        ({"record": "phases"}, ValueError, "record"),
        ({"progress": 3}, TypeError, "progress"),
    ],
)
def test_bad_arguments_run_nothing(more, kind, says):
    one = swarm(10)
    with pytest.raises(kind, match=says):
        one.run(1.0, **more)
    assert one.time == 0.0
    one.step()


class TestWatching:
    def test_history_has_the_start_and_every_tick(self):
        one = swarm()
        one.step(7)
        begin = one.coherence
        history = one.run(0.5, record="coherence").history
        assert len(history) == 51
        assert history.time == pytest.approx(0.07 + 0.01 * np.arange(51))
        assert history.coherence[0] == begin
        assert history.coherence[-1] == one.coherence
        assert one.run(0.1).history is None

    def test_an_endless_run_records_what_it_did_and_takes_no_room_for_the_rest(self):
        one = emerge.Swarm(emerge.Topology.complete(2), MODEL, seed=1)
        before, token, told = one.nbytes, emerge.CancelToken(), []

        def watch(now):
            told.append(now.ticks)
            if now.ticks > 200_000:
                token.cancel()

        result = one.run(1e9, record="coherence", cancel=token, progress=watch)
        assert len(result.history) == result.ticks + 1
        assert told[0] <= 65_536
        assert one.nbytes - before < 4 * 8 * result.ticks
        assert result.history.coherence[-1] == one.coherence

    def test_recorded_coherence_is_the_same_for_any_team(self):
        many = [swarm(5000, threads=t).run(1.0, record="coherence").history.coherence for t in (1, 2, 8)]
        assert np.array_equal(many[0], many[1])
        assert np.array_equal(many[0], many[2])

    def test_progress_is_told(self):
        told = []
        result = swarm(20_000).run(5.0, progress=told.append)
        assert told[-1].ticks == told[-1].ticks_max == result.ticks == 500
        assert told[-1].coherence == result.coherence
        assert told[-1].eta == 0.0
        assert [p.ticks for p in told] == sorted({p.ticks for p in told})

    def test_a_bar_is_drawn(self, capsys):
        pytest.importorskip("rich")
        swarm().run(1.0, progress=True)
        shown = capsys.readouterr().err
        assert "100%" in shown
        assert "R =" in shown


class TestInterrupting:
    def test_ctrl_c_keeps_what_was_recorded(self):
        one, two = swarm(), swarm()

        def interrupt(now):
            if now.time > 0.5:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            one.run(1000.0, record="coherence", progress=interrupt)
        result = one.result
        assert result.reason == "interrupted"
        assert 50 < result.ticks < 100_000
        assert len(result.history) == result.ticks + 1
        two.step(result.ticks)
        assert np.array_equal(one.phase, two.phase)
        one.step(), two.step()
        assert np.array_equal(one.phase, two.phase)

    @pytest.mark.skipif(os.name != "posix", reason="signals between processes are needed")
    def test_ctrl_c_from_outside_ends_an_endless_run(self):
        code = """
import emerge
web = emerge.Topology.small_world(200_000, degree=10, rewire=0.2, seed=1)
swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=0.1), seed=1)
try:
    swarm.run(1e9, progress=lambda now: print("running", flush=True))
except KeyboardInterrupt:
    swarm.step()
    print("ended", swarm.result.reason)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            assert process.stdout.readline() == "running\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.read().splitlines()[-1] == "ended interrupted"
            watchdog.cancel()
            watchdog.join()
        assert process.returncode == 0
