"""Moments: told when an agent's phase passes 0, to whoever waits, by a clock that is moved by hand."""

import asyncio
import gc
import math
import multiprocessing
import os
import threading

import numpy as np
import pytest

import emerge

DT = 0.125
"""Interval of all loops here: a binary fraction, so that times of ticks are exact."""


def swarm(n=3, *, frequency=1.0, phase=0.0, coupling=0.0):
    model = emerge.Kuramoto(coupling=coupling)
    return emerge.Swarm(emerge.Topology.complete(n), model, frequency=frequency, phase=phase, threads=1)


async def others():
    """Let all other tasks of this event loop go on until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


class Hand:
    """A swarm live by a clock that is moved by hand, one tick after another."""

    def __init__(self, one, **options):
        self.clock = emerge.ManualClock()
        self.live = one.live(interval=DT, clock=self.clock, **options)

    async def tick(self, times=1):
        for _ in range(times):
            self.clock.advance(DT)
            self.live.settle(timeout=30)
            await others()

    async def __aenter__(self):
        await self.live.__aenter__()
        return self

    async def __aexit__(self, *error):
        await self.live.__aexit__(*error)


async def collect(moments, into):
    async for moment in moments:
        into.append(moment)


async def waiting(moments):
    """Return a task that waits for the next moment, now."""
    task = asyncio.ensure_future(anext(moments))
    await others()
    return task


class TestWhen:
    @pytest.mark.parametrize("frequency", [0.3, 1.7, 20.0])
    def test_at_the_time_between_two_ticks(self, frequency):
        async def main():
            told = []
            async with Hand(swarm(1, frequency=frequency, phase=1.0)) as hand:
                task = asyncio.ensure_future(collect(hand.live.moments(0), told))
                await others()
                await hand.tick(400)
            await task
            return told

        told = asyncio.run(main())
        expected = np.arange(2 * math.pi - 1.0, 400 * DT * frequency, 2 * math.pi) / frequency
        assert len(told) == len(expected) >= 2
        assert np.abs([moment.time for moment in told] - expected).max() < 1e-12
        assert [moment.tick for moment in told] == np.ceil(expected / DT).tolist()
        assert {moment.agent for moment in told} == {0}

    def test_all_at_once_when_the_swarm_is_in_step(self):
        async def main():
            async with Hand(swarm(5, phase=6.0, coupling=1.0)) as hand:
                tasks = [await waiting(hand.live.moments(agent)) for agent in range(5)]
                await hand.tick(2)
                assert not any(task.done() for task in tasks)
                await hand.tick()
                return [task.result() for task in tasks]

        told = asyncio.run(main())
        assert [moment.agent for moment in told] == [0, 1, 2, 3, 4]
        assert {(moment.time, moment.tick) for moment in told} == {(told[0].time, 3)}

    def test_each_at_its_own_time_when_it_is_not(self):
        async def main():
            told = []
            async with Hand(swarm(4, phase=[0.0, 1.5, 3.0, 4.5])) as hand:
                tasks = [asyncio.ensure_future(collect(hand.live.moments(agent), told)) for agent in range(4)]
                await others()
                await hand.tick(51)
            await asyncio.gather(*tasks)
            return told

        told = asyncio.run(main())
        assert [moment.agent for moment in told] == [3, 2, 1, 0]
        assert np.abs(np.diff([moment.time for moment in told]) - 1.5).max() < 1e-12

    def test_at_the_tick_that_ends_on_0_and_not_again(self):
        async def main():
            told = []
            async with Hand(swarm(1, phase=6.0, frequency=0.0)) as hand:
                task = asyncio.ensure_future(collect(hand.live.moments(0), told))
                await others()
                await hand.tick()
                hand.live.change(phase=0.0).result(timeout=30)
                await hand.tick(3)
            await task
            return told

        (moment,) = asyncio.run(main())
        assert (moment.time, moment.tick) == (2 * DT, 2)

    @pytest.mark.parametrize(("frequency", "expected"), [(-1.0, 0), (1.0, 3)])
    def test_none_when_it_turns_back(self, frequency, expected):
        async def main():
            told = []
            async with Hand(swarm(1, frequency=frequency, phase=0.1)) as hand:
                task = asyncio.ensure_future(collect(hand.live.moments(0), told))
                await others()
                await hand.tick(160)
            await task
            return told

        assert len(asyncio.run(main())) == expected

    @pytest.mark.parametrize(("phase", "angle", "expected"), [(6.0, 0.5, 1), (0.2, -0.5, 0), (6.0, 0.1, 0)])
    def test_a_nudge_over_0_is_one(self, phase, angle, expected):
        async def main():
            told = []
            async with Hand(swarm(3, frequency=0.0, phase=phase)) as hand:
                tasks = [asyncio.ensure_future(collect(hand.live.moments(agent), told)) for agent in range(3)]
                await others()
                await hand.tick()
                hand.live.nudge(1, angle).result(timeout=30)
                await hand.tick(2)
            await asyncio.gather(*tasks)
            return told

        told = asyncio.run(main())
        assert [moment.agent for moment in told] == [1] * expected
        assert all(DT < moment.time <= 2 * DT and moment.tick == 2 for moment in told)

    def test_in_the_first_tick_after_it_was_asked_for(self):
        async def main():
            async with Hand(swarm(1, phase=6.2)) as hand:
                task = await waiting(hand.live.moments(0))
                await hand.tick()
                return task.result()

        assert asyncio.run(main()).time == pytest.approx(2 * math.pi - 6.2, abs=1e-12)

    def test_a_nudge_is_not_lost_when_others_begin_to_wait(self):
        async def main():
            async with Hand(swarm(2, frequency=0.0, phase=6.0)) as hand:
                first = await waiting(hand.live.moments(0))
                await hand.tick()
                hand.live.nudge(0, 0.5).result(timeout=30)
                second = await waiting(hand.live.moments(1))
                await hand.tick()
                assert second.cancel()
                return first.done()

        assert asyncio.run(main())

    def test_none_of_an_agent_that_failed(self):
        async def main():
            told = []
            async with Hand(swarm(3)) as hand:
                tasks = [asyncio.ensure_future(collect(hand.live.moments(agent), told)) for agent in range(3)]
                await others()
                hand.live.fail(1).result(timeout=30)
                await hand.tick(60)
            await asyncio.gather(*tasks)
            return told

        assert {moment.agent for moment in asyncio.run(main())} == {0, 2}


class TestWhoWaits:
    def test_who_is_slow_skips_moments_and_they_are_counted(self):
        async def main():
            one = swarm(2, frequency=[2 * math.pi, 0.0], phase=math.pi)
            async with Hand(one) as hand:
                moments = hand.live.moments(0)
                first = await waiting(moments)
                await hand.tick(8)
                assert moments.missed == 0
                await hand.tick(3 * 8)
                missed = moments.missed
                last = await waiting(moments)
                await hand.tick(8)
                return first.result().time, missed, last.result().time, moments.missed

        first, missed, last, still = asyncio.run(main())
        assert (first, last) == pytest.approx((0.5, 4.5), abs=1e-12)
        assert (missed, still) == (3, 3)

    def test_all_tasks_that_wait_for_one_agent_are_woken(self):
        async def main():
            async with Hand(swarm(1, phase=6.2)) as hand:
                moments = hand.live.moments(0)
                tasks = [await waiting(moments) for _ in range(3)] + [await waiting(hand.live.moments(0))]
                await hand.tick(2)
                return [task.result() for task in tasks]

        first, *rest = asyncio.run(main())
        assert rest == [first] * 3

    def test_two_event_loops(self):
        async def elsewhere(moments, begun):
            task = await waiting(moments)
            begun.set()
            return await asyncio.wait_for(task, 30)

        async def main():
            async with Hand(swarm(1, phase=6.2)) as hand:
                moments, begun, told = hand.live.moments(0), threading.Event(), []
                thread = threading.Thread(target=lambda: told.append(asyncio.run(elsewhere(moments, begun))))
                thread.start()
                assert begun.wait(30)
                task = await waiting(moments)
                await hand.tick(2)
                thread.join(30)
                return told, task.result()

        told, mine = asyncio.run(main())
        assert told == [mine]

    def test_an_event_loop_that_is_closed_harms_nobody(self):
        async def main():
            async with Hand(swarm(1, frequency=2 * math.pi, phase=6.2)) as hand:
                moments = hand.live.moments(0)
                loop = asyncio.new_event_loop()
                moments._waiting.append((loop, loop.create_future()))
                loop.close()
                task = await waiting(moments)
                await hand.tick(2)
                return task.result()

        assert asyncio.run(main()).agent == 0

    def test_a_task_that_is_cancelled_waits_no_more(self):
        async def main():
            async with Hand(swarm(1, frequency=2 * math.pi, phase=math.pi)) as hand:
                moments = hand.live.moments(0)
                task, other = await waiting(moments), await waiting(moments)
                task.cancel()
                await others()
                assert task.cancelled()
                assert len(moments._waiting) == 1
                await hand.tick(8)
                assert other.result().time == pytest.approx(0.5, abs=1e-12)
                assert moments._waiting == []

        asyncio.run(main())

    def test_moments_that_are_forgotten_cost_nothing(self):
        async def main():
            async with Hand(swarm(5)) as hand:
                kept = hand.live.moments(1)
                forgotten = [hand.live.moments(agent) for agent in range(2, 5)]
                await hand.tick()
                assert hand.live._passing._agents.tolist() == [1, 2, 3, 4]
                del forgotten
                gc.collect()
                await hand.tick()
                assert hand.live._passing._agents.tolist() == [1]
                del kept
                gc.collect()
                await hand.tick()
                assert hand.live._passing._agents.tolist() == []
                assert len(hand.live._passing._all) == 0

        asyncio.run(main())

    def test_no_such_agent(self):
        with pytest.raises(emerge.InvalidValue, match="agent"):
            swarm(3).live().moments(3)


class TestEnd:
    def test_iteration_ends_when_the_loop_stops(self):
        async def main():
            told = []
            hand = Hand(swarm(2))
            async with hand:
                moments = hand.live.moments(0)
                task = asyncio.ensure_future(collect(moments, told))
                await others()
            await asyncio.wait_for(task, 30)
            with pytest.raises(StopAsyncIteration):
                await anext(moments)
            return told

        assert asyncio.run(main()) == []

    def test_an_error_of_the_loop_is_raised(self, caplog):
        async def breaking(hand, moments):
            async with hand:
                task = await waiting(moments)
                hand.live.change(frequency=[0.0, 1e12]).result(timeout=30)
                hand.clock.advance(DT)
                with pytest.raises(emerge.Diverged, match="agent"):
                    await asyncio.wait_for(task, 30)

        async def main():
            hand = Hand(swarm(2))
            moments = hand.live.moments(0)
            with pytest.raises(emerge.Diverged, match="agent"):
                await breaking(hand, moments)
            with pytest.raises(emerge.Diverged, match="agent"):
                await anext(moments)

        asyncio.run(main())
        assert "ended by an error" in caplog.text
        caplog.clear()  # the record keeps the error, and so the swarm

    def test_none_while_it_is_paused(self):
        async def main():
            async with Hand(swarm(1, frequency=2 * math.pi, phase=math.pi)) as hand:
                task = await waiting(hand.live.moments(0))
                await hand.tick()
                hand.live.pause().result(timeout=30)
                hand.clock.advance(10.0)
                await others()
                assert not task.done()
                hand.live.resume().result(timeout=30)
                await hand.tick(8)
                return task.result().time

        assert asyncio.run(main()) == pytest.approx(0.5, abs=1e-12)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is needed")
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_in_a_forked_child_it_has_ended(self):
        with swarm(2).live() as live:
            moments = live.moments(0)
            with live._passing.lock:
                child = multiprocessing.get_context("fork").Process(target=ended, args=(moments,))
                child.start()
            child.join(30)
            assert child.exitcode == 0


def ended(moments):
    """Exit with 0 if there is no next moment."""
    told = []
    asyncio.run(asyncio.wait_for(collect(moments, told), 10))
    os._exit(len(told))


class TestClock:
    """Ticks are due at their time, whatever rounding makes of it."""

    @pytest.mark.parametrize("start", [0.0, 1e3, 12345.678])
    @pytest.mark.parametrize("interval", [0.01, 0.1, 1 / 3])
    def test_the_loop_comes_to_rest_at_every_tick(self, start, interval):
        clock = emerge.ManualClock(start)
        one = swarm(1)
        with one.live(interval=interval, clock=clock) as live:
            for tick in range(1, 101):
                clock.advance(start + tick * interval - clock.time())
                live.settle(timeout=30)
                assert live.metrics().ticks == tick

    def test_ticks_that_a_sum_falls_short_of_are_done(self):
        clock = emerge.ManualClock()
        one = swarm(1)
        with one.live(interval=0.1, clock=clock) as live:
            clock.advance(0.3)  # 3 * 0.1 is 0.30000000000000004
            live.settle(timeout=30)
            assert live.metrics().ticks == 3
            assert live.metrics().jitter_worst < 0.3
