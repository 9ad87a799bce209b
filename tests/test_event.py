"""Events: who is told what, when, and that nobody waits for a listener."""

import asyncio
import dataclasses
import gc
import logging
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import emerge
from emerge import event as events

WEB = emerge.Topology.complete(60)


def swarm(coupling=2.0, frequency=0.0, **more):
    return emerge.Swarm(WEB, emerge.Kuramoto(coupling=coupling), frequency=frequency, seed=1, **more)


def kinds(told):
    return [type(event).__name__ for event in told]


class TestKinds:
    def test_each_is_a_frozen_record_and_public(self):
        assert len(events.KINDS) == 9
        for kind in events.KINDS:
            assert getattr(emerge, kind.__name__) is kind
            assert dataclasses.is_dataclass(kind)
            assert {"time", "tick", "coherence", "trace"} <= {field.name for field in dataclasses.fields(kind)}

    def test_frozen(self):
        one = swarm()
        with one.events.subscribe(emerge.Disrupted) as inbox:
            one.disrupt(0.5)
        told = inbox.poll()
        with pytest.raises(dataclasses.FrozenInstanceError):
            told.time = 1.0
        with pytest.raises(ValueError, match="read-only"):
            told.agents[0] = 3


class TestRun:
    def test_the_story_of_a_run(self):
        one = swarm()
        with one.events.subscribe() as inbox:
            result = one.run(50.0, until=emerge.coherent(0.95))
        told = list(inbox)
        assert kinds(told) == ["Started", *["Ticked"] * (result.ticks // 50), "Converged", "Stopped"]
        started, *ticked, converged, stopped = told
        assert (started.time, started.tick, started.dt) == (0.0, 0, 0.01)
        assert [event.tick for event in ticked] == [50 * k for k in range(1, len(ticked) + 1)]
        assert (converged.tick, converged.time) == (result.ticks, result.time)
        assert converged.coherence == result.coherence >= 0.95
        assert converged.target == emerge.coherent(0.95)
        assert stopped.reason == "reached"

    @pytest.mark.parametrize("every", [0.01, 0.07, 0.3])
    def test_ticks_are_told_at_the_interval_of_the_subscription(self, every):
        one = swarm()
        with one.events.subscribe(emerge.Ticked, every=every) as inbox, one.events.subscribe(emerge.Ticked) as other:
            one.run(2.1)
        step = round(every / 0.01)
        assert [event.tick for event in inbox] == list(range(step, 211, step))
        assert [event.tick for event in other] == list(range(2, 211, 2))

    def test_coherence_is_that_of_the_tick(self):
        one = swarm()
        with one.events.subscribe(emerge.Ticked, every=0.05) as inbox:
            result = one.run(1.0, record="coherence")
        for event in inbox:
            assert event.coherence == result.history.coherence[event.tick]
            assert event.time == result.history.time[event.tick]

    def test_listening_changes_no_bit(self):
        deaf, heard = swarm(frequency=0.3), swarm(frequency=0.3)
        with heard.events.subscribe(every=0.03):
            heard.run(3.0)
        deaf.run(3.0)
        assert np.array_equal(deaf.phase, heard.phase)

    def test_lost_is_told_once_after_converged(self):
        one = swarm()
        one.run(50.0, until=emerge.coherent(0.95))
        with one.events.subscribe(emerge.Lost, emerge.Converged) as inbox:
            one.disrupt(0.5)
            one.run(50.0, until=emerge.coherent(0.95))
            one.run(1.0)
        lost, converged = inbox
        assert isinstance(lost, emerge.Lost)
        assert lost.coherence < 0.9
        assert lost.target == emerge.coherent(0.95)
        assert isinstance(converged, emerge.Converged)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_lost_within_a_run_is_told_of_its_tick(self, threads):
        one = swarm(threads=threads)
        one.run(50.0, until=emerge.coherent(0.95))
        one.model = emerge.Kuramoto(coupling=-2.0)
        with one.events.subscribe(emerge.Lost) as inbox:
            result = one.run(20.0, record="coherence")
        (lost,) = inbox
        begun = one.metrics().ticks - result.ticks
        below = np.flatnonzero(result.history.coherence < 0.9)
        assert lost.tick == begun + below[0]
        assert lost.coherence == result.history.coherence[below[0]]

    def test_nothing_is_lost_that_fell_by_less(self):
        one = swarm()
        one.run(50.0, until=emerge.coherent(0.99))
        with one.events.subscribe(emerge.Lost) as inbox:
            one.phase = np.where(np.arange(60) < 59, 0.0, np.pi)
            one.run(0.01)
        assert one.result.coherence == pytest.approx(58 / 60, abs=0.01)
        assert list(inbox) == []

    def test_a_callable_target_converges_too(self):
        one = swarm()
        with one.events.subscribe(emerge.Converged) as inbox:
            one.run(1.0, until=lambda now: now.time > 0.5)
        (told,) = inbox
        assert callable(told.target)

    def test_an_error_of_a_callable_stops(self):
        def fail(_):
            raise RuntimeError("mine")

        one = swarm()
        with one.events.subscribe(emerge.Stopped) as inbox, pytest.raises(RuntimeError, match="mine"):
            one.run(1.0, until=fail)
        assert [event.reason for event in inbox] == ["stopped"]

    def test_step_tells_nothing(self):
        one = swarm()
        with one.events.subscribe() as inbox:
            one.step(10)
        assert list(inbox) == []


class TestPoking:
    def test_whoever_pokes_tells(self):
        one = swarm()
        web = emerge.Topology.ring(60)
        with one.events.subscribe() as inbox:
            chosen = one.disrupt(0.1)
            one.fail([3, 4])
            one.restore()
            one.topology = web
        disrupted, failed, restored, changed = inbox
        assert np.array_equal(disrupted.agents, chosen)
        assert failed.agents.tolist() == restored.agents.tolist() == [3, 4]
        assert changed.topology is web

    def test_coherence_at_rest_is_that_of_now(self):
        one = swarm()
        with one.events.subscribe(emerge.Failed) as inbox:
            one.fail(0)
        assert inbox.poll().coherence == pytest.approx(one.coherence, abs=1e-12)

    def test_during_a_run_it_does_not_wait(self):
        """The callable holds the run between two batches; a poke from another thread is told at once."""
        one = swarm()
        inbox = one.events.subscribe(emerge.Disrupted)
        told = []

        def until(_):
            poker = threading.Thread(target=one.disrupt, args=(0.2,))
            poker.start()
            poker.join(timeout=20)
            told.append(inbox.wait(timeout=20))
            return True

        one.run(1.0, until=until)
        inbox.close()
        assert math.isfinite(told[0].coherence)
        assert one.result.reason == "reached"


class TestSubscription:
    def test_a_full_buffer_drops_the_new_and_counts(self):
        one = swarm()
        inbox = one.events.subscribe(emerge.Ticked, maxsize=3, every=0.1)
        one.run(1.0)
        assert len(inbox) == 3
        assert inbox.dropped == 7
        assert one.metrics().events_dropped == 7
        assert one.metrics().events_waiting == 3
        assert one.metrics().subscribers == 1
        inbox.close()
        assert [event.tick for event in inbox] == [10, 20, 30]
        assert (one.metrics().events_dropped, one.metrics().subscribers) == (7, 0)

    def test_poll_never_waits(self):
        inbox = swarm().events.subscribe()
        assert inbox.poll() is None
        inbox.close()
        assert inbox.poll() is None

    def test_wait_runs_out_of_time(self):
        with swarm().events.subscribe() as inbox, pytest.raises(TimeoutError, match=r"no event came within 0\.01 s"):
            inbox.wait(timeout=0.01)

    def test_use_after_close(self):
        inbox = swarm().events.subscribe()
        inbox.close()
        inbox.close()
        assert inbox.closed
        assert "closed" in repr(inbox)
        with pytest.raises(emerge.Closed, match="subscribe again"):
            inbox.wait()

    def test_closing_lets_go_whoever_waits(self):
        inbox = swarm().events.subscribe()
        ended = []

        def listen():
            ended.append(list(inbox))

        listeners = [threading.Thread(target=listen) for _ in range(3)]
        for listener in listeners:
            listener.start()
        inbox.close()
        for listener in listeners:
            listener.join(timeout=20)
        assert ended == [[], [], []]

    def test_each_event_is_given_to_one(self):
        one = swarm()
        inbox = one.events.subscribe(emerge.Ticked, every=0.01, maxsize=5000)
        got = [[], [], []]
        listeners = [threading.Thread(target=lambda mine=mine: mine.extend(inbox)) for mine in got]
        for listener in listeners:
            listener.start()
        one.run(10.0)
        inbox.close()
        for listener in listeners:
            listener.join(timeout=20)
        assert sorted(event.tick for mine in got for event in mine) == list(range(1, 1001))

    def test_asynchronous_iteration(self):
        one = swarm()

        async def listen(inbox):
            return [event async for event in inbox]

        async def main():
            with one.events.subscribe(emerge.Started, emerge.Stopped) as inbox:
                listeners = [asyncio.create_task(listen(inbox)) for _ in range(2)]
                await asyncio.sleep(0)
                await one.run_async(1.0)
                await one.run_async(1.0)
            return await asyncio.wait_for(asyncio.gather(*listeners), timeout=20)

        told = asyncio.run(main())
        assert sorted(kinds(told[0] + told[1])) == ["Started", "Started", "Stopped", "Stopped"]

    def test_a_listener_that_is_cancelled_takes_no_event_along(self):
        one = swarm()

        async def main():
            with one.events.subscribe(emerge.Disrupted) as inbox:
                first, second = (asyncio.create_task(anext(aiter(inbox))) for _ in range(2))
                await asyncio.sleep(0)
                one.disrupt(0.1)
                first.cancel()
                assert isinstance(await asyncio.wait_for(second, timeout=20), emerge.Disrupted)
                with pytest.raises(asyncio.CancelledError):
                    await first

        asyncio.run(main())

    def test_waiting_in_vain_ends_no_iteration(self):
        one = swarm()

        async def main():
            with one.events.subscribe(emerge.Disrupted) as inbox:
                each = aiter(inbox)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(each), timeout=0.01)
                one.disrupt(0.1)
                return await asyncio.wait_for(anext(each), timeout=20)

        assert isinstance(asyncio.run(main()), emerge.Disrupted)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is needed")
    def test_a_forked_child_waits_for_no_lock_of_a_thread_that_is_not_there(self):
        code = (
            "import emerge, os, threading, warnings\nwarnings.simplefilter('ignore')\n"
            "one = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)\n"
            "inbox = one.events.subscribe()\ntoken = emerge.CancelToken()\n"
            "held = threading.Event()\n"
            "def hold():\n"
            "    with one._lock, one.events._lock, inbox._lock, token._lock:\n"
            "        held.set(); go.wait(30)\n"
            "go = threading.Event()\nholder = threading.Thread(target=hold); holder.start(); held.wait(30)\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    one.fail(2); one.events.subscribe().close(); token.cancel(); os._exit(len(inbox) != 1)\n"
            "go.set(); holder.join()\nos._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def test_a_closed_loop_harms_nobody(self):
        one = swarm()
        inbox = one.events.subscribe()

        async def leave():
            asyncio.get_running_loop()._left = asyncio.ensure_future(anext(aiter(inbox)))
            await asyncio.sleep(0)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(leave())
        task = loop._left
        loop.close()
        one.disrupt(0.1)
        assert len(inbox) == 1
        task._log_destroy_pending = False
        inbox.close()
        task.get_coro().close()


class TestCallbacks:
    def test_called_in_order_and_taken_back(self):
        one, told = swarm(), []

        @one.on(emerge.Started)
        def first(event):
            told.append(("first", type(event)))

        one.events.on(emerge.Started, lambda event: told.append(("second", type(event))))
        one.run(0.1)
        one.events.off(first)
        one.run(0.1)
        assert [name for name, _ in told] == ["first", "second", "second"]

    def test_one_that_fails_is_logged_and_counted_and_harms_nobody(self, caplog):
        one, told = swarm(), []

        @one.on(emerge.Started)
        def fail(event):
            raise RuntimeError("mine")

        one.on(emerge.Started)(told.append)
        with caplog.at_level(logging.ERROR, "emerge"):
            assert one.run(1.0).reason == "duration"
        assert len(told) == 1
        assert one.metrics().callback_failures == 1
        (record,) = caplog.records
        assert record.getMessage() == "a callback for Started failed"
        assert "mine" in record.exc_text
        caplog.clear()  # the record holds the frames, and they the swarm

    def test_it_may_poke_and_subscribe(self):
        one = swarm()

        @one.on(emerge.Converged)
        def knock(event):
            one.disrupt(0.5)
            one.events.subscribe().close()

        one.run(50.0, until=emerge.coherent(0.95))
        assert one.coherence < 0.95

    def test_it_may_not_run_the_swarm(self):
        one = swarm()
        errors = []

        @one.on(emerge.Ticked)
        def run(event):
            with pytest.raises(emerge.Busy) as error:
                one.run(1.0)
            errors.append(error)

        one.run(0.02)
        assert len(errors) == 2

    def test_what_was_not_given_cannot_be_taken_back(self):
        with pytest.raises(emerge.InvalidValue, match="is called for no kind"):
            swarm().events.off(print)


class TestBadInput:
    @pytest.mark.parametrize("kind", ["Converged", events.Event, int, None, 3])
    def test_unknown_kinds(self, kind):
        one = swarm()
        for ask in (one.events.subscribe, one.on, lambda kind: one.events.on(kind, print)):
            with pytest.raises(emerge.InvalidType, match=r"a kind of event is one of emerge\.Started, .* not"):
                ask(kind)

    @pytest.mark.parametrize("size", [0, -1, 2.5, None])
    def test_sizes(self, size):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match="maxsize must be"):
            swarm().events.subscribe(maxsize=size)

    @pytest.mark.parametrize("every", [0.0, -1.0, math.nan, "x"])
    def test_intervals(self, every):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match="every must be"):
            swarm().events.subscribe(every=every)

    def test_an_interval_for_no_ticks(self):
        with pytest.raises(emerge.InvalidValue, match="subscribe to that kind too"):
            swarm().events.subscribe(emerge.Started, every=1.0)

    def test_callbacks_must_be_callable(self):
        with pytest.raises(emerge.InvalidType, match="callback must be callable"):
            swarm().events.on(emerge.Started, 3)

    @pytest.mark.parametrize("timeout", [0, -1.0, math.nan])
    def test_timeouts(self, timeout):
        with swarm().events.subscribe() as inbox, pytest.raises(emerge.InvalidValue, match="timeout must be"):
            inbox.wait(timeout=timeout)


def test_a_swarm_that_is_copied_has_listeners_of_its_own():
    import copy
    import pickle

    one = swarm()
    with one.events.subscribe() as inbox:
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            other.run(0.1)
            assert other.metrics().subscribers == 0
    assert list(inbox) == []


def test_who_is_forgotten_keeps_no_swarm_alive():
    one = swarm()
    inbox = one.events.subscribe()
    inbox.close()
    before = sys.getrefcount(one)
    gc.collect()
    assert sys.getrefcount(one) == before
