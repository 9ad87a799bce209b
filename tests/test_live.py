"""Live loops, by a clock that the test moves: ticks, commands in their order, ends of all kinds."""

import asyncio
import concurrent.futures
import logging
import math
import os
import resource
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import emerge

LONG = 20.0
"""Seconds after which a wait in these tests has failed."""


def swarm(n=60, coupling=2.0, **more):
    return emerge.Swarm(emerge.Topology.complete(n), emerge.Kuramoto(coupling=coupling), seed=1, **more)


class Beside:
    """A swarm with a live loop on a clock of its own."""

    def __init__(self, one=None, interval=0.5, **options):
        self.swarm = swarm() if one is None else one
        self.clock = emerge.ManualClock()
        self.live = self.swarm.live(interval, clock=self.clock, **options)

    def __enter__(self):
        self.live.start()
        return self

    def __exit__(self, kind, error, trace):
        self.live.__exit__(kind, error, trace)

    def tick(self, seconds=0.5):
        self.clock.advance(seconds)
        self.live.settle(LONG)


@pytest.fixture
def beside():
    with Beside() as made:
        yield made
    vars(made).clear()  # pytest keeps what a fixture gave, and that would keep the swarm


class TestTicks:
    def test_one_for_each_interval(self, beside):
        for k in range(1, 6):
            beside.tick()
            assert beside.live.metrics().ticks == k
            assert beside.swarm.time == pytest.approx(0.5 * k, abs=1e-12)
        beside.tick(0.4)
        assert beside.live.metrics().ticks == 5

    @pytest.mark.parametrize("schedule", ["barrier", "gossip", "ordered"])
    def test_the_same_bits_as_steps(self, schedule):
        with Beside(swarm(threads=1), interval=0.25, speed=0.1, schedule=schedule, catch_up=100) as beside:
            beside.tick(10.0)
        other = swarm(threads=1)
        other.step(40, dt=0.025, schedule=schedule)
        assert np.array_equal(beside.swarm.phase, other.phase)
        assert beside.swarm.time == other.time

    @pytest.mark.parametrize("method", ["rk4", "dopri5"])
    def test_other_methods(self, method):
        with Beside(swarm(), interval=0.25, speed=0.1, method=method, catch_up=100) as beside:
            beside.tick(10.0)
        other = swarm()
        for _ in range(40):
            other.step(dt=0.025, method=method)
        assert np.array_equal(beside.swarm.phase, other.phase)

    def test_a_model_that_the_loop_cannot_serve_is_refused(self):
        course = emerge.varying(lambda time: 1.0, every=0.07)
        with pytest.raises(emerge.InvalidValue, match="every of coupling"):
            Beside(swarm(coupling=course), interval=0.5, speed=0.1)
        with Beside(swarm(), interval=0.5, speed=0.1, method="rk4") as beside:
            with pytest.raises(emerge.InvalidValue, match="every of coupling"):
                beside.live.change(model=emerge.Kuramoto(course))
            with pytest.raises(emerge.InvalidValue, match="'rk4' cannot serve noise"):
                beside.live.change(model=emerge.Kuramoto(1.0, noise=0.1))
            beside.tick()
            assert beside.live.metrics().ticks == 1

    def test_late_ticks_are_made_up_for_within_bounds(self):
        with Beside(catch_up=3) as beside:
            beside.tick(0.5 * 2)
            assert (beside.live.metrics().ticks, beside.live.metrics().late) == (2, 1)
            beside.tick(0.5 * 4)
            assert (beside.live.metrics().ticks, beside.live.metrics().skipped) == (6, 0)
            beside.tick(0.5 * 10)
            told = beside.live.metrics()
            assert (told.ticks, told.skipped) == (10, 6)
            beside.tick()
            assert (beside.live.metrics().ticks, beside.live.metrics().skipped) == (11, 6)

    def test_none_is_made_up_for(self):
        with Beside(catch_up=0) as beside:
            beside.tick(50.0)
            assert (beside.live.metrics().ticks, beside.live.metrics().skipped) == (1, 99)

    def test_jitter_is_how_late_they_began(self):
        with Beside(interval=1.0, catch_up=10) as beside:
            beside.tick(1.25)
            assert beside.live.metrics().jitter_worst == 0.25
            beside.tick(2.75)  # ticks of 2 and 3 and 4, begun at 4
            told = beside.live.metrics()
            assert (told.jitter_p50, told.jitter_worst) == (0.625, 2.0)

    def test_by_the_systems_clock(self):
        one = swarm()
        done = threading.Semaphore(0)
        one.on(emerge.Ticked)(lambda event: done.release())
        with one.live(interval=0.001) as live:
            for _ in range(20):
                assert done.acquire(timeout=LONG)
            assert live.running
        told = live.metrics()
        assert told.ticks >= 20
        assert 0 <= told.jitter_p50 <= told.jitter_p99 <= told.jitter_worst


class TestEvents:
    def test_the_story_of_a_loop(self):
        one = swarm(coupling=5.0)
        with one.events.subscribe(maxsize=10_000) as inbox, Beside(one, interval=1 / 64, catch_up=10_000) as beside:
            beside.tick(4.0)
            beside.live.disrupt(0.5).result(LONG)
            beside.tick(1 / 64)
            beside.tick(4.0)
            beside.live.stop()
        told = [event for event in inbox if not isinstance(event, emerge.Ticked)]
        names = [type(event).__name__ for event in told]
        assert names == ["Started", "Converged", "Disrupted", "Lost", "Converged", "Stopped"]
        assert told[1].coherence >= 0.95
        assert told[3].coherence < 0.90
        assert told[3].tick == 257
        assert told[-1].reason == "stopped"

    def test_ticked_at_the_interval_of_the_subscription(self):
        one = swarm()
        each, third = one.events.subscribe(emerge.Ticked), one.events.subscribe(emerge.Ticked, every=1.5)
        with each, third, Beside(one, catch_up=100) as beside:
            beside.tick(5.0)
        assert [event.tick for event in each] == list(range(1, 11))
        assert [event.tick for event in third] == [3, 6, 9]

    def test_a_trace_holds_for_the_loop_and_for_commands(self):
        one = swarm()
        with one.events.subscribe() as inbox, emerge.trace("loop"), Beside(one) as beside:
            with emerge.trace("command"):
                beside.live.fail(3).result(LONG)
            beside.tick()
        assert {type(event).__name__: event.trace for event in inbox} == {
            "Started": "loop",
            "Failed": "command",
            "Ticked": "loop",
            "Stopped": "loop",
        }


class TestCommands:
    def test_applied_in_the_order_sent(self, beside):
        live = beside.live
        live.pause()
        sent = [live.change(coupling=float(k)) for k in range(1, 200)]
        sent[-1].result(LONG)
        assert all(command.done() for command in sent)
        assert beside.swarm.model.coupling == 199.0

    def test_each_does_what_the_swarm_does(self, beside, tmp_path):
        live, one, other = beside.live, beside.swarm, swarm()
        web = emerge.Topology.ring(60)
        assert live.nudge([1, 2], 0.5).result(LONG) is None
        assert np.array_equal(live.disrupt(0.2).result(LONG), np.sort(one._seed and other.disrupt(0.2)))
        live.fail([4, 5]).result(LONG)
        assert one.failed.tolist() == [4, 5]
        live.restore(4).result(LONG)
        assert one.failed.tolist() == [5]
        live.change(topology=web, model=emerge.Kuramoto(coupling=0.7), frequency=0.25, phase=1.0).result(LONG)
        assert one.topology is web
        assert one.model == emerge.Kuramoto(coupling=0.7)
        assert set(one.frequency) == {0.25}
        assert set(one.phase) == {1.0}
        live.save(tmp_path / "saved.npz").result(LONG)
        assert np.array_equal(emerge.Swarm.load(tmp_path / "saved.npz").phase, one.phase)

    def test_between_ticks(self, beside):
        """What is sent before a tick is due is in that tick, to the bit."""
        other = swarm()
        for k in range(5):
            beside.live.nudge(k, 0.3).result(LONG)
            beside.tick()
            other.nudge(k, 0.3)
            other.step(dt=0.5)
        assert np.array_equal(beside.swarm.phase, other.phase)

    def test_one_that_fails_tells_its_sender_and_harms_nobody(self, beside, caplog):
        with caplog.at_level(logging.WARNING, "emerge"), pytest.raises(emerge.InvalidValue, match="agents"):
            beside.live.nudge(60, 0.1).result(LONG)
        assert "a command failed" in caplog.text
        beside.live.nudge(59, 0.1).result(LONG)
        told = beside.live.metrics()
        assert (told.commands, told.command_failures, told.commands_waiting) == (2, 1, 0)

    def test_paused_it_takes_commands_and_makes_up_for_nothing(self, beside):
        live = beside.live
        beside.tick()
        live.pause().result(LONG)
        assert live.metrics().paused
        assert "paused" in repr(live)
        beside.tick(100.0)
        live.nudge(3, 0.1).result(LONG)
        assert live.metrics().ticks == 1
        live.resume().result(LONG)
        live.settle(LONG)
        assert live.metrics().ticks == 1
        beside.tick()
        told = live.metrics()
        assert (told.ticks, told.late, told.skipped, told.paused) == (2, 0, 0, False)

    def test_taken_back_before_it_is_applied(self):
        one = swarm()
        inside, go = threading.Event(), threading.Event()

        @one.on(emerge.Failed)
        def hold(event):
            inside.set()
            go.wait(LONG)

        with Beside(one) as beside:
            beside.live.fail(1)
            inside.wait(LONG)
            taken = beside.live.fail(2)
            assert taken.cancel()
            go.set()
            beside.live.settle(LONG)
        assert one.failed.tolist() == [1]

    def test_from_many_threads_nothing_is_lost(self, beside):
        def send():
            for _ in range(200):
                beside.live.nudge(np.arange(60), 0.001)

        senders = [threading.Thread(target=send) for _ in range(8)]
        beside.live.change(coupling=0.0, phase=0.0).result(LONG)
        for sender in senders:
            sender.start()
        for _ in range(20):
            beside.clock.advance(0.5)
        for sender in senders:
            sender.join(timeout=LONG)
        beside.tick()
        assert beside.swarm.phase == pytest.approx(np.full(60, 1.6), abs=1e-9)

    def test_awaited_by_tasks(self):
        one = swarm()

        async def main():
            async with one.live(0.5, clock=emerge.ManualClock()) as live:
                chosen = await asyncio.wait_for(live.disrupt(0.5), timeout=LONG)
                with pytest.raises(emerge.InvalidValue):
                    await asyncio.wait_for(live.disrupt(2.0), timeout=LONG)
                return len(chosen)

        assert asyncio.run(main()) == 30

    def test_a_callback_cannot_wait_for_the_loop_that_calls_it(self):
        one, errors = swarm(), []
        with Beside(one) as beside:

            @one.on(emerge.Ticked)
            def wait(event):
                for call in (lambda: beside.live.fail(1).result(), beside.live.settle):
                    with pytest.raises(emerge.Busy, match="callback") as error:
                        call()
                    errors.append(error)

            beside.tick()
            beside.live.settle(LONG)
        assert len(errors) == 2
        assert one.failed.tolist() == [1]

    def test_changes_that_say_nothing_or_too_much(self, beside):
        with pytest.raises(emerge.InvalidValue, match="say what to change"):
            beside.live.change()
        with pytest.raises(emerge.InvalidValue, match="not both"):
            beside.live.change(coupling=1.0, model=emerge.Kuramoto(coupling=1.0))


class TestEnds:
    def test_what_was_sent_before_is_applied(self):
        with Beside() as beside:
            sent = [beside.live.nudge(0, 0.1) for _ in range(50)]
            beside.live.stop(LONG)
        assert all(command.done() and command.exception() is None for command in sent)
        assert not beside.live.running

    def test_commands_to_a_stopped_loop(self):
        with Beside() as beside:
            pass
        for send in (beside.live.pause, lambda: beside.live.nudge(0, 0.1), beside.live.settle):
            with pytest.raises(emerge.Closed, match=r"has stopped: make another with swarm\.live\(\)"):
                send()

    def test_commands_to_one_that_was_not_started(self):
        live = swarm().live()
        live.stop()
        with pytest.raises(emerge.Closed, match="has not been started: use it in a with block"):
            live.pause()
        assert "not running" in repr(live)

    def test_it_runs_once(self):
        with Beside() as beside:
            pass
        with pytest.raises(emerge.Closed, match="runs once"):
            beside.live.start()
        with pytest.raises(emerge.Closed, match="runs once"), beside.live:
            pass

    def test_stop_again_does_nothing(self):
        with Beside() as beside:
            beside.live.stop()
            beside.live.stop()

    def test_a_task_awaits_the_end(self):
        one = swarm()

        async def main():
            async with one.live(0.5, clock=emerge.ManualClock()) as live:
                nudged = live.nudge(0, 0.1)
                await asyncio.wait_for(live.stop(wait=False), timeout=LONG)
                assert nudged.done()
                assert one.run(0.1).reason == "duration"
                assert live.stop(wait=False).done()

        asyncio.run(main())

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer that signals is needed")
    def test_a_signal_handler_may_send_and_publish(self):
        """It comes between any two instructions of the main thread, also where that holds a lock."""
        sent = []
        with Beside() as beside, beside.swarm.events.subscribe(emerge.Disrupted):

            def handler(*_):
                sent.append(beside.live.nudge(0, 0.1))
                beside.swarm.disrupt(agents=[0])

            before = signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
            try:
                while len(sent) < 300:
                    beside.live.nudge(1, 0.1)
                    beside.swarm.disrupt(agents=[1])
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
                signal.signal(signal.SIGALRM, before)
            beside.live.settle(LONG)
        assert all(command.exception() is None for command in sent)

    def test_the_swarm_can_go_on(self):
        with Beside() as beside:
            beside.tick()
        assert beside.swarm.check() == ()
        assert beside.swarm.run(1.0).reason == "duration"
        with Beside(beside.swarm) as again:
            again.tick()

    def test_stop_from_a_callback_does_not_wait_for_itself(self):
        one = swarm()
        with Beside(one) as beside:
            one.on(emerge.Ticked)(lambda event: beside.live.stop())
            beside.clock.advance(0.5)
            beside.live._thread.join(timeout=LONG)
            assert not beside.live.running

    def test_stop_runs_out_of_time_and_can_be_asked_again(self):
        one, inside, go = swarm(), threading.Event(), threading.Event()
        one.on(emerge.Ticked)(lambda event: (inside.set(), go.wait(LONG)))
        with Beside(one) as beside:
            beside.clock.advance(0.5)
            assert inside.wait(LONG)
            with pytest.raises(TimeoutError, match=r"something to do after 0\.01 s"):
                beside.live.settle(0.01)
            with pytest.raises(TimeoutError, match=r"has not ended within 0\.01 s"):
                beside.live.stop(0.01)
            go.set()
            beside.live.stop(LONG)

    def test_what_is_queued_behind_the_end_is_refused_not_forgotten(self):
        one = swarm()
        inside, go = threading.Event(), threading.Event()
        one.on(emerge.Failed)(lambda event: (inside.set(), go.wait(LONG)))
        with Beside(one) as beside:
            beside.live.fail(1)
            inside.wait(LONG)
            stopper = threading.Thread(target=beside.live.stop)
            stopper.start()
            while not beside.live._ends:
                pass
            with pytest.raises(emerge.Closed):
                beside.live.fail(2)
            go.set()
            stopper.join(timeout=LONG)

    def test_one_runner_at_a_time(self):
        one = swarm()
        with Beside(one):
            for run in (lambda: one.run(1.0), one.step, lambda: one.live().start()):
                with pytest.raises(emerge.Busy, match="running already"):
                    run()
            with pytest.raises(emerge.Busy, match="cannot be assigned"):
                one.phase = 0.0
            assert one.metrics().threads >= 1
            assert len(one.phase) == 60
        assert one.metrics().threads == 0

    def test_an_error_in_the_block_goes_first(self):
        with pytest.raises(RuntimeError, match="mine"), Beside() as beside:
            raise RuntimeError("mine")
        assert not beside.live.running

    def test_many_starts_and_stops_leave_no_thread(self):
        one = swarm()
        before = threading.active_count()
        for _ in range(100):
            with Beside(one) as beside:
                beside.live.nudge(0, 0.1)
        assert threading.active_count() == before


class TestErrors:
    """A tick that diverges: the coupling is so strong that a step leaves the range of numbers."""

    def test_it_reaches_whoever_waits(self):
        beside = Beside(swarm(threads=1))
        beside.live.start()
        beside.live.change(coupling=1e308).result(LONG)
        beside.clock.advance(0.5)
        with pytest.raises(emerge.Diverged, match="choose a smaller dt"):
            beside.live.settle(LONG)
        with pytest.raises(emerge.Diverged):
            beside.live.stop()
        with pytest.raises(emerge.Diverged):
            beside.live.__exit__(None, None, None)
        assert not beside.live.running
        assert beside.swarm.check() == ()
        with pytest.raises(emerge.Closed):
            beside.live.pause()

    def test_it_reaches_commands_that_were_not_applied(self):
        """The command is sent while the tick that fails holds the loop."""
        one, sent = swarm(threads=1), []
        beside = Beside(one)

        def look(*_):
            sent.append(beside.live.fail(3))
            raise RuntimeError("mine")

        beside.live._passing.look = look
        beside.live.start()
        beside.clock.advance(0.5)
        with pytest.raises(RuntimeError, match="mine"):
            beside.live.settle(LONG)
        with pytest.raises(RuntimeError, match="mine"):
            sent[0].result(LONG)
        assert len(one.failed) == 0
        with pytest.raises(RuntimeError, match="mine"):
            beside.live.stop()
        vars(beside).clear()

    def test_it_is_told_and_logged(self, caplog):
        one = swarm(threads=1)
        inbox, beside = one.events.subscribe(emerge.Stopped), Beside(one)
        beside.live.start()
        beside.live.change(coupling=1e308)
        beside.live.settle(LONG)
        beside.clock.advance(0.5)
        assert inbox.wait(LONG).reason == "diverged"
        beside.live._thread.join(timeout=LONG)
        inbox.close()
        assert "a live loop ended by an error" in caplog.text
        assert "choose a smaller dt" in caplog.text

    def test_in_async_blocks_too(self):
        async def main():
            clock, one = emerge.ManualClock(), swarm(threads=1)
            async with one.live(0.5, clock=clock) as live:
                await live.change(coupling=1e308)
                clock.advance(0.5)
                await asyncio.to_thread(live._thread.join, LONG)

        with pytest.raises(emerge.Diverged):
            asyncio.run(main())


def fail(*_):
    raise RuntimeError("mine")


class TestMended:
    """Ways in which waiting once had no end, or changes no owner."""

    def test_a_command_that_ends_the_thread_tells_its_sender(self):
        beside = Beside()
        beside.live.start()
        sent = beside.live._send(leave)
        with pytest.raises(SystemExit):
            sent.result(LONG)
        with pytest.raises(SystemExit):
            beside.live.stop(LONG)

    def test_stopping_what_never_began(self):
        one = swarm()
        live = one.live()
        assert live.stop(wait=False).done()
        with Beside(one):
            with pytest.raises(emerge.Busy):
                live.start()
            assert live.stop(wait=False).done()

    def test_each_waiter_for_the_end_has_a_future_of_its_own(self):
        one = swarm()
        with Beside(one) as beside:
            first, second = beside.live.stop(wait=False), beside.live.stop(wait=False)
            first.cancel()
            assert second.result(LONG) is None

    def test_commands_take_arguments_as_they_were_when_sent(self, beside):
        agents, angles = np.array([0, 1]), np.array([0.1, 0.1])
        beside.live.change(coupling=0.0, phase=0.0).result(LONG)
        beside.live.pause().result(LONG)
        with beside.live._wake:
            sent = beside.live.nudge(agents, angles)
            agents[:], angles[:] = 3, 9.0
        sent.result(LONG)
        assert beside.swarm.phase[:4] == pytest.approx([0.1, 0.1, 0.0, 0.0], abs=1e-12)

    def test_a_higher_target_than_that_of_an_earlier_run_converges(self):
        one = swarm(coupling=5.0)
        one.run(100.0, until=emerge.coherent(0.5))
        with one.events.subscribe(emerge.Converged) as inbox, Beside(one, 1 / 64, catch_up=10_000) as beside:
            beside.tick(8.0)
        assert [event.target for event in inbox] == [emerge.coherent(0.95)]

    def test_what_ended_the_loop_is_named_to_those_who_come_later(self):
        beside = Beside(swarm(threads=1))
        beside.live.start()
        beside.live.change(coupling=1e308).result(LONG)
        beside.clock.advance(0.5)
        with pytest.raises(emerge.Diverged):
            beside.live.settle(LONG)
        with pytest.raises(emerge.Closed, match=r"ended by an error: agent .* smaller dt") as error:
            beside.live.pause()
        assert isinstance(error.value.__cause__, emerge.Diverged)
        vars(beside).clear()

    def test_refused_changes_change_nothing(self, beside):
        with pytest.raises(emerge.InvalidValue, match="has 5 agents"):
            beside.live.change(coupling=9.0, topology=emerge.Topology.ring(5))
        with pytest.raises(emerge.InvalidValue, match="phase"):
            beside.live.change(coupling=9.0, phase=math.nan)
        assert beside.swarm.model.coupling == 2.0

    def test_huge_intervals_and_timeouts(self):
        one = swarm()
        with one.events.subscribe(emerge.Ticked, every=1e307), Beside(one) as beside:
            beside.tick()
            beside.live.stop(1e300)
        with pytest.raises(emerge.InvalidValue, match="interval"):
            one.live(interval=1e-200, speed=1e-200)
        with one.live(interval=1e10) as live:
            live.settle(LONG)


def leave(*_):
    raise SystemExit


class TestAsync:
    def test_a_cancelled_task_joins_the_thread(self):
        one = swarm()
        loops = []

        async def run():
            async with one.live(0.5, clock=emerge.ManualClock()) as live:
                loops.append(live)
                await asyncio.Event().wait()

        async def main():
            task = asyncio.create_task(run())
            while not loops:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert not loops[0].running
        assert one.run(0.1).reason == "duration"

    def test_tasks_listen_while_it_runs(self):
        one = swarm(coupling=5.0)

        async def main():
            with one.events.subscribe(emerge.Converged) as inbox:
                async with one.live(0.001, speed=20.0), asyncio.timeout(LONG):
                    return (await anext(aiter(inbox))).coherence

        assert asyncio.run(main()) >= 0.95


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"interval": 0.0}, "interval must be"),
            ({"interval": -1.0}, "interval must be"),
            ({"interval": math.nan}, "interval must be"),
            ({"speed": 0.0}, "speed must be"),
            ({"speed": math.inf}, "speed must be"),
            ({"catch_up": -1}, "catch_up must be"),
            ({"schedule": "later"}, "schedule must be"),
            ({"until": 0.9}, r"until of a live loop must be emerge\.coherent"),
            ({"clock": 3}, r"a clock has time\(\)"),
        ],
        ids=str,
    )
    def test_arguments(self, options, match):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=match):
            swarm().live(**options)

    @pytest.mark.parametrize("timeout", [0.0, -1.0, math.nan])
    def test_timeouts(self, beside, timeout):
        for wait in (beside.live.stop, beside.live.settle):
            with pytest.raises(emerge.InvalidValue, match="timeout must be"):
                wait(timeout)

    def test_no_such_agent(self, beside):
        with pytest.raises(emerge.InvalidValue, match="agent must be from 0 to 59"):
            beside.live.moments(60)

    def test_futures_never_awaited_are_told(self, beside, caplog):
        with caplog.at_level(logging.WARNING, "emerge"):
            beside.live.nudge(-1, 0.1)
            beside.live.settle(LONG)
        assert "a command failed" in caplog.text
        assert beside.live.metrics().command_failures == 1


ALONE = """
import emerge, sys, threading
one = emerge.Swarm(emerge.Topology.complete(3000), emerge.Kuramoto(coupling=1.0), seed=1)
"""


def alone(code, timeout=60):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE + code], capture_output=True, text=True, timeout=timeout
    )


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_the_interpreter_exits_cleanly_with_a_loop_running(end):
    done = alone(f"live = one.live(0.0005)\nlive.start()\nheld = [one, live]\nheld.append(held)\n{end}")
    assert done.returncode == {"": 0, "sys.exit(3)": 3}.get(end, -2 if os.name == "posix" else 1)
    assert "emerge" not in done.stderr
    assert "Fatal" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is needed")
def test_in_a_forked_child_the_loop_has_stopped():
    done = alone(
        "import os\nlive = one.live(0.001)\nlive.start()\n"
        "one.topology = emerge.Topology.complete(3000)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    import warnings\n    warnings.simplefilter('ignore')\n"
        "    try:\n        live.nudge(1, 0.1)\n    except emerge.Closed:\n"
        "        live.stop(); one.step(3); os._exit(one.check() != ())\n"
        "    os._exit(9)\n"
        "_, status = os.waitpid(pid, 0)\nlive.stop(20)\nsys.exit(os.waitstatus_to_exitcode(status))\n"
    )
    assert done.returncode == 0, done.stderr


def resident():
    with open("/proc/self/statm") as told:
        return int(told.read().split()[1]) * resource.getpagesize()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is told by /proc")
def test_a_million_ticks_leave_memory_flat_and_no_thread_behind():
    before = threading.active_count()
    with Beside(swarm(n=10), interval=0.001, catch_up=10**7) as beside:
        inbox = beside.swarm.events.subscribe()
        seen = []
        for _ in range(10):
            beside.clock.advance(100.0)
            beside.live.settle(100)
            seen.append(resident())
        assert beside.live.metrics().ticks >= 10**6 - 1
        assert inbox.dropped > 900_000
        inbox.close()
    assert threading.active_count() == before
    assert seen[-1] <= 1.05 * seen[1]


@pytest.mark.slow
def test_a_thousand_starts_and_stops_leave_no_thread_behind():
    one, before = swarm(n=10), threading.active_count()
    for _ in range(1000):
        with Beside(one) as beside:
            beside.tick()
    assert threading.active_count() == before
    assert one.metrics().ticks == 1000


def test_commands_are_futures():
    assert issubclass(emerge.Command, concurrent.futures.Future)
