"""Ways to end a run early: a token, a deadline for each tick, a cancelled task."""

import asyncio
import math
import threading

import numpy as np
import pytest

import emerge


def swarm(n=200, threads=2):
    return emerge.Swarm(emerge.Topology.complete(n), emerge.Kuramoto(coupling=0.1), seed=1, threads=threads)


class TestToken:
    def test_cancelled_before_no_tick_is_done(self):
        one, token = swarm(), emerge.CancelToken()
        before = one.phase
        token.cancel()
        token.cancel()
        result = one.run(10.0, cancel=token)
        assert (result.reason, result.ticks) == ("cancelled", 0)
        assert np.array_equal(one.phase, before)
        assert "not" not in repr(token)
        assert "not" in repr(emerge.CancelToken())

    @pytest.mark.parametrize("schedule", ["barrier", "gossip", "ordered"])
    def test_from_another_thread(self, schedule):
        one, token = swarm(), emerge.CancelToken()
        canceller = threading.Thread(target=lambda: (began.wait(20), token.cancel()))
        began = threading.Event()
        canceller.start()
        result = one.run(1e9, cancel=token, schedule=schedule, progress=lambda _: began.set())
        canceller.join(timeout=20)
        assert result.reason == "cancelled"
        assert result.ticks > 0
        assert one.check() == ()
        assert one.result == result

    def test_from_a_callback(self):
        one, token = swarm(), emerge.CancelToken()
        with one.events.subscribe(emerge.Stopped) as inbox:
            one.on(emerge.Ticked)(lambda event: token.cancel())
            result = one.run(10.0, cancel=token)
        assert (result.reason, result.ticks) == ("cancelled", 11)
        assert [event.reason for event in inbox] == ["cancelled"]

    def test_one_token_for_many_runs_at_once(self):
        token = emerge.CancelToken()
        swarms = [swarm(threads=1) for _ in range(4)]
        barrier = threading.Barrier(5)

        def run(one):
            told = []

            def watch(_):
                if not told:
                    told.append(barrier.wait(20))

            one.run(1e9, cancel=token, progress=watch)

        runners = [threading.Thread(target=run, args=(one,)) for one in swarms]
        for runner in runners:
            runner.start()
        barrier.wait(20)
        token.cancel()
        for runner in runners:
            runner.join(timeout=20)
        assert [one.result.reason for one in swarms] == ["cancelled"] * 4

    def test_the_next_run_goes_on_to_the_bit(self):
        whole, cut = swarm(), swarm()
        whole.run(10.0)
        token = emerge.CancelToken()
        cut.on(emerge.Ticked)(lambda event: event.tick == 300 and token.cancel())
        first = cut.run(10.0, cancel=token)
        cut.run((1000 - first.ticks) * 0.01)
        assert np.array_equal(whole.phase, cut.phase)

    def test_a_target_reached_in_the_same_tick_goes_first(self):
        one, token = swarm(), emerge.CancelToken()
        one.phase = 0.0
        token.cancel()
        assert one.run(1.0, cancel=token, until=emerge.coherent(0.9)).reason == "reached"

    @pytest.mark.parametrize("cancel", [True, threading.Event(), "x"])
    def test_something_else_is_no_token(self, cancel):
        with pytest.raises(emerge.InvalidType, match=r"cancel must be an emerge\.CancelToken"):
            swarm().run(1.0, cancel=cancel)


class TestDeadline:
    def test_a_tick_that_took_longer_ends_the_run(self):
        one = swarm(n=5000, threads=1)
        one._engine.handicap(0, 2_000_000, True)  # ten blocks of 2 ms
        result = one.run(10.0, update_deadline=0.01)
        assert (result.reason, result.ticks) == ("deadline", 1)
        assert one.check() == ()

    def test_ticks_in_time_do_not(self):
        assert swarm().run(5.0, update_deadline=30.0).reason == "duration"

    def test_it_is_not_the_time_of_all_ticks(self):
        one = swarm(n=1000, threads=1)
        one._engine.handicap(0, 5_000_000, True)  # two blocks of 5 ms
        result = one.run(0.4, update_deadline=0.35)  # 40 ticks of 10 ms, in batches that end between
        assert result.reason == "duration"

    @pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
    @pytest.mark.parametrize("name", ["timeout", "update_deadline"])
    def test_bad_spans(self, name, value):
        with pytest.raises(emerge.InvalidValue, match=f"{name} must be"):
            swarm().run(1.0, **{name: value})


class TestAsync:
    def test_the_same_bits(self):
        one, other = swarm(), swarm()
        told = asyncio.run(one.run_async(3.0, record="coherence"))
        assert told.history is not None
        other.run(3.0)
        assert np.array_equal(one.phase, other.phase)

    def test_errors_come_through(self):
        with pytest.raises(emerge.InvalidValue, match="duration"):
            asyncio.run(swarm().run_async(-1.0))
        with pytest.raises(emerge.InvalidType, match="cancel"):
            asyncio.run(swarm().run_async(1.0, cancel=3))

    def test_a_cancelled_task_leaves_a_consistent_swarm(self):
        one = swarm()

        async def main():
            began = asyncio.Event()
            loop = asyncio.get_running_loop()
            task = asyncio.create_task(one.run_async(1e9, progress=lambda _: loop.call_soon_threadsafe(began.set)))
            await asyncio.wait_for(began.wait(), timeout=20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert one.result.reason == "cancelled"
            return await one.run_async(1.0)

        assert asyncio.run(main()).reason == "duration"
        assert one.check() == ()

    def test_a_task_group_with_a_timeout(self):
        one = swarm()

        async def main():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.run_async(1e9), timeout=0.05)

        asyncio.run(main())
        assert one.result.reason == "cancelled"

    def test_the_token_of_the_user_works_too_and_is_not_cancelled_by_the_task(self):
        one, other, token = swarm(), swarm(), emerge.CancelToken()

        async def main():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.run_async(1e9, cancel=token), timeout=0.05)
            assert not token.cancelled
            task = asyncio.create_task(other.run_async(1e9, cancel=token))
            await asyncio.sleep(0)
            token.cancel()
            return await asyncio.wait_for(task, timeout=20)

        assert asyncio.run(main()).reason == "cancelled"
