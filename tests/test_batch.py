"""The batcher: what many threads queue is applied once, by a tick or a flush, or its caller is told that it is not."""

import copy
import gc
import itertools
import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import get_args

import numpy as np
import pytest

import emerge
from emerge import _engine
from emerge.batch import MAXSIZE_MAX
from emerge.run import Schedule

DEADLINE = 60.0
SCHEDULES = get_args(Schedule)
TURN = 2 * np.pi


def still(n=1000, threads=2):
    """A swarm in which nobody moves but by nudges."""
    return emerge.Swarm(emerge.Topology.ring(n), emerge.Kuramoto(coupling=0.0), phase=0.0, threads=threads)


def lively(n=1300, threads=2):
    web = emerge.Topology.small_world(n, degree=6, rewire=0.2, seed=1)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), frequency=0.3, seed=1, threads=threads)


def started(count, work):
    threads = [threading.Thread(target=work, args=(rank,), daemon=True) for rank in range(count)]
    for thread in threads:
        thread.start()
    return threads


def ended(threads):
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()


def until(truth):
    deadline = time.monotonic() + DEADLINE
    while not truth():
        assert time.monotonic() < deadline


class TestQueueing:
    def test_what_waits_is_counted_and_applied_by_the_next_tick(self):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=8) as batcher:
            assert batcher.nudge(3, 0.5) == 1
            assert batcher.nudge([4, 5, 4], [0.25, 0.5, 0.25]) == 3
            assert (len(batcher), swarm.metrics().batched, swarm.metrics().nudges_waiting) == (4, 0, 4)
            swarm.step()
            assert (len(batcher), swarm.metrics().batched) == (0, 4)
        assert swarm.phase[3:6] == pytest.approx([0.5, 0.5, 0.5], abs=1e-15)
        assert np.count_nonzero(swarm.phase) == 3

    @pytest.mark.parametrize("schedule", SCHEDULES)
    @pytest.mark.parametrize("cut", [(6,), (1, 5), (1, 1, 1, 1, 1, 1)])
    def test_at_rest_it_is_a_nudge_to_the_bit_and_batches_show_nothing(self, schedule, cut):
        one, two, none = lively(threads=1), lively(threads=1), lively(threads=1)
        agents, angles = np.array([5, 600, 1299, 5]), np.array([1.0, -2.5, 0.1, 7.0])
        with emerge.Batcher(one) as batcher:
            batcher.nudge(agents, angles)
            for ticks in cut:
                one.step(ticks, schedule=schedule)
        two.nudge(agents, angles)
        two.step(6, schedule=schedule), none.step(6, schedule=schedule)
        assert np.array_equal(one.phase, two.phase)
        assert not np.array_equal(one.phase, none.phase)
        assert one.check() == ()

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_amid_a_tick_it_is_applied_at_the_end_of_the_next(self, schedule):
        engine = emerge.Swarm(emerge.Topology.complete(2), emerge.Kuramoto(coupling=0.0), phase=0.0)._engine
        ring = _engine.Ring(8, False, 1.0)
        engine.attach(ring)
        order = np.arange(2) if schedule == "ordered" else None
        engine.begin(0.01, schedule, order, keeps=True)
        engine.enter(3, 1)
        ring.put_one(0, math.pi / 2)
        engine.member(0, 1)
        assert engine.leave() == "running"
        trace = np.empty(4)
        engine.read_trace(trace)
        assert trace == pytest.approx([1.0, 1.0, math.sqrt(0.5), math.sqrt(0.5)])
        assert engine.metrics()["batched"] == 1

    def test_any_order_within_a_tick_gives_the_same_bits(self):
        nudges = [(0, 1.0), (0, 1e-9), (0, -3.7), (700, 0.1), (0, 1e5)]
        found = set()
        for order in itertools.permutations(nudges):
            swarm = still()
            with emerge.Batcher(swarm) as batcher:
                for agent, angle in order:
                    batcher.nudge(agent, angle)
                swarm.step()
            found.add(swarm.phase.tobytes())
        assert len(found) == 1

    def test_flush_does_it_now(self):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=4) as batcher:
            assert batcher.flush() == 0
            for _ in range(3):
                batcher.nudge([1, 2, 3, 1], 0.125)
                assert (batcher.flush(), len(batcher)) == (4, 0)
        assert swarm.phase[1] == pytest.approx(0.75)
        assert swarm.metrics().batched == 12

    def test_all_forms_of_numbers(self):
        swarm = still()
        with emerge.Batcher(swarm) as batcher:
            for agents, angle in [(1, 1), (np.int32(1), np.float32(1.0)), ([1], 1.0), (np.array([1, 1]), [0.5, 0.5])]:
                batcher.nudge(agents, angle)
            assert batcher.nudge([], 1.0) == 0
        assert swarm.phase[1] == pytest.approx(4.0)

    def test_several_of_one_swarm_and_of_several(self):
        one, two = still(), still()
        with emerge.Batcher(one) as a, emerge.Batcher(one) as b, emerge.Batcher(two) as c:
            a.nudge(1, 0.5), b.nudge(1, 0.25), b.nudge(2, 0.125), c.nudge(1, 1.0)
            one.step(), two.step()
            assert len(a) == len(b) == len(c) == 0
            b.close()
            a.nudge(2, 0.125), c.nudge(2, 2.0)
        assert one.phase[1:3] == pytest.approx([0.75, 0.25])
        assert two.phase[1:3] == pytest.approx([1.0, 2.0])

    def test_what_it_tells(self):
        swarm = still()
        before = swarm.nbytes
        with emerge.Batcher(swarm, maxsize=1000, overflow="drop") as batcher:
            assert repr(batcher) == "Batcher(1024 nudges, overflow='drop', 0 waiting)"
            assert bool(batcher)
            assert swarm.nbytes >= before + 32 * 1024
            assert (batcher.maxsize, batcher.dropped, batcher.waited, batcher.retries) == (1024, 0, 0, 0)
        assert repr(batcher) == "Batcher(1024 nudges, overflow='drop', closed)"
        assert swarm.nbytes < before + 32 * 1024
        assert [emerge.Batcher(swarm, maxsize=size).maxsize for size in (1, 2, 3, 64)] == [2, 2, 4, 64]


class TestState:
    """Nudges that wait count as nudges do."""

    def test_reading_sees_them(self):
        swarm = still()
        with emerge.Batcher(swarm) as batcher:
            batcher.nudge(0, 0.5)
            assert swarm.phase[0] == pytest.approx(0.5)
            assert swarm.coherence < 1.0

    def test_assigning_phases_drops_them(self):
        swarm = still()
        with emerge.Batcher(swarm) as batcher:
            batcher.nudge(0, 0.5)
            swarm.phase = 1.0
            batcher.nudge(1, 0.5)
        assert swarm.phase[:2] == pytest.approx([1.0, 1.5])

    @pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
    def test_copies_have_them(self, again):
        swarm = lively()
        with emerge.Batcher(swarm) as batcher:
            batcher.nudge([0, 900], [0.5, 2.0])
            other = again(swarm)
            swarm.step(3), other.step(3)
            assert np.array_equal(swarm.phase, other.phase)
            batcher.nudge(0, 1.0)
            assert not np.array_equal(swarm.phase, other.phase)

    def test_a_file_has_them(self, tmp_path):
        swarm = lively()
        with emerge.Batcher(swarm) as batcher:
            batcher.nudge([0, 900], [0.5, 2.0])
            swarm.save(tmp_path / "swarm.npz")
            other = emerge.Swarm.load(tmp_path / "swarm.npz")
            swarm.step(3), other.step(3)
        assert np.array_equal(swarm.phase, other.phase)

    def test_a_batcher_is_not_copied(self):
        with emerge.Batcher(still()) as batcher:
            for again in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="make another one"):
                    again(batcher)


class TestOverflow:
    def test_dropped_and_counted(self):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=4, overflow="drop") as batcher:
            assert [batcher.nudge(1, 0.25) for _ in range(6)] == [1, 1, 1, 1, 0, 0]
            assert batcher.nudge([2, 2], 0.25) == 0
            assert (batcher.dropped, batcher.waited, len(batcher)) == (4, 0, 4)
            swarm.step()
            assert batcher.nudge(np.full(7, 3), 0.25) == 4
            assert batcher.dropped == 7
        assert swarm.phase[1:4] == pytest.approx([1.0, 0.0, 1.0])

    @pytest.mark.parametrize("timeout", [0, 0.05])
    def test_who_waits_in_vain_is_told_what_was_queued(self, timeout):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=4, timeout=timeout) as batcher:
            begun = time.monotonic()
            with pytest.raises(emerge.Full, match=r"4 of 6 nudges were queued.*run, call flush\(\)") as told:
                batcher.nudge([1, 2, 3, 4, 5, 6], 0.5)
            with pytest.raises(queue.Full, match="the nudge was not queued") as of_one:
                batcher.nudge(1, 0.5)
            assert time.monotonic() - begun >= 2 * timeout
            assert (told.value.queued, of_one.value.queued) == (4, 0)
            assert (batcher.waited, batcher.dropped) == (2, 0)
            assert batcher.flush() == 4
            assert batcher.nudge([5, 6], 0.5) == 2
        assert swarm.phase[1:8] == pytest.approx([0.5] * 6 + [0.0])

    def test_the_error_can_be_sent(self):
        again = pickle.loads(pickle.dumps(emerge.Full("no room", 3)))
        assert (str(again), again.queued) == ("no room", 3)

    @pytest.mark.parametrize("timeout", [None, DEADLINE])
    def test_who_waits_gets_in_when_there_is_room(self, timeout):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=2, timeout=timeout) as batcher:
            threads = started(3, lambda rank: batcher.nudge([rank] * 5, 0.125))
            moved = 0
            while moved < 15:
                moved += batcher.flush()
            ended(threads)
            assert batcher.waited == 3
        assert swarm.phase[:4] == pytest.approx([0.625] * 3 + [0.0])

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_an_array_larger_than_the_batcher_passes_as_ticks_make_room(self, schedule):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=16, timeout=DEADLINE) as batcher:
            threads = started(1, lambda rank: batcher.nudge(np.arange(1000), 0.5))
            swarm.run(1e6, schedule=schedule, until=lambda _: not threads[0].is_alive(), every=0.05, timeout=DEADLINE)
            ended(threads)
        assert swarm.phase == pytest.approx(np.full(1000, 0.5))

    def test_waiting_takes_little_processor_time(self):
        with emerge.Batcher(still(), maxsize=2, timeout=0.5) as batcher:
            batcher.nudge([0, 0], 0.1)
            spent = time.process_time()
            with pytest.raises(emerge.Full):
                batcher.nudge(0, 0.1)
            assert time.process_time() - spent < 0.3

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer is needed")
    def test_a_signal_ends_the_wait(self):
        class Rung(Exception):
            pass

        def ring(*_):
            raise Rung

        swarm = still()
        before = signal.signal(signal.SIGALRM, ring)
        try:
            with emerge.Batcher(swarm, maxsize=2, timeout=None) as batcher:
                signal.setitimer(signal.ITIMER_REAL, 0.1)
                with pytest.raises(Rung):
                    batcher.nudge([0, 1, 2], 0.5)
                assert len(batcher) == 2
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert swarm.phase[:3] == pytest.approx([0.5, 0.5, 0.0])


class TestClosing:
    def test_leaving_the_block_applies_and_closes(self):
        swarm = still()

        def fail_amid(batcher):
            with batcher:
                batcher.nudge(1, 0.5)
                raise KeyError

        batcher = emerge.Batcher(swarm)
        with pytest.raises(KeyError):
            fail_amid(batcher)
        assert batcher.closed
        assert len(batcher) == 0
        swarm.step()
        assert swarm.phase[1] == pytest.approx(0.5)

    def test_afterwards_nothing_gets_in(self):
        batcher = emerge.Batcher(still())
        batcher.close(), batcher.close()
        for use in (
            lambda: batcher.nudge(0, 1.0),
            lambda: batcher.nudge([0, 1], 1.0),
            lambda: batcher.nudge([], 1.0),
            batcher.flush,
            batcher.__enter__,
        ):
            with pytest.raises(emerge.Closed, match="make another batcher"):
                use()
        assert (batcher.dropped, batcher.waited, len(batcher)) == (0, 0, 0)

    @pytest.mark.parametrize("timeout", [None, DEADLINE])
    def test_who_waits_is_told(self, timeout):
        swarm, told = still(), []
        batcher = emerge.Batcher(swarm, maxsize=4, timeout=timeout)

        def work(rank):
            with pytest.raises(emerge.Closed) as error:
                batcher.nudge([1] * 10, 0.125)
            told.append(str(error.value))

        threads = started(1, work)
        until(lambda: batcher.waited == 1)
        batcher.close()
        ended(threads)
        assert "4 of 10 nudges were queued" in told[0]
        assert swarm.phase[1] == pytest.approx(0.5)

    @pytest.mark.parametrize("overflow", ["wait", "drop"])
    @pytest.mark.parametrize("runs", [True, False])
    def test_amid_use_nothing_that_was_queued_is_lost(self, runs, overflow):
        swarm = still()
        for _ in range(30):
            before = swarm.metrics().batched
            batcher = emerge.Batcher(swarm, maxsize=256, overflow=overflow, timeout=None)
            queued = [0] * 4

            def work(rank, batcher=batcher, queued=queued):
                with suppress(emerge.Closed):
                    while True:
                        queued[rank] += batcher.nudge(rank, 2.0**-20)

            threads = started(4, work)
            until(lambda queued=queued: runs or sum(queued) > 100)
            if runs:
                swarm.run(1e9, until=lambda _, queued=queued: sum(queued) > 1000, every=0.05, timeout=DEADLINE)
            batcher.close()
            ended(threads)
            assert swarm.metrics().batched - before == sum(queued)
            expected = np.array(queued) * 2.0**-20
            assert swarm.phase[:4] == pytest.approx(expected % TURN, abs=1e-9)
            swarm.phase = 0.0

    def test_also_while_another_thread_runs_the_swarm(self):
        swarm, over = still(), threading.Event()
        runner = started(1, lambda rank: swarm.run(1e9, until=lambda _: over.is_set(), every=0.05, timeout=DEADLINE))
        try:
            for _ in range(20):
                with emerge.Batcher(swarm) as batcher:
                    batcher.nudge(range(1000), 0.01)
        finally:
            over.set()
            ended(runner)
        assert swarm.phase == pytest.approx(np.full(1000, 0.2))
        assert swarm.metrics().batched == 20_000

    def test_one_that_is_let_go_of_is_emptied(self):
        swarm = still()
        swarm.nudge(0, 0.0)
        swarm.step()
        before = _engine.allocations()
        for _ in range(5):
            batcher = emerge.Batcher(swarm)
            batcher.nudge(7, 0.125)
            gone = weakref.ref(batcher)
            del batcher
            gc.collect()
            assert gone() is None
        swarm.step()
        assert _engine.allocations() == before
        assert swarm.phase[7] == pytest.approx(0.625)

    def test_it_keeps_alive_what_it_needs(self):
        batcher = emerge.Batcher(still())
        gc.collect()
        batcher.nudge(0, 1.0)
        assert batcher.flush() == 1
        batcher.close()


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"maxsize": 0}, r"maxsize must be from 1 to \d+, not 0"),
            ({"maxsize": -5}, "maxsize must be from 1"),
            ({"maxsize": MAXSIZE_MAX + 1}, "maxsize must be from 1"),
            ({"maxsize": 2.5}, "maxsize must be a whole number"),
            ({"maxsize": True}, "maxsize must be a whole number"),
            ({"overflow": "raise"}, "overflow must be"),
            ({"overflow": ["wait"]}, "overflow must be"),
            ({"timeout": -1.0}, "timeout must be at least 0"),
            ({"timeout": math.nan}, "timeout must be finite"),
            ({"timeout": "long"}, "timeout must be a number"),
        ],
    )
    def test_of_arguments(self, options, said):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=said):
            emerge.Batcher(still(), **options)

    def test_of_what_is_no_swarm(self):
        with pytest.raises(emerge.InvalidType, match=r"swarm must be an emerge\.Swarm"):
            emerge.Batcher(emerge.Topology.ring(5))

    def test_of_more_than_there_is_memory_for(self):
        with pytest.raises(emerge.TooLarge, match="nudges needs"):
            emerge.Batcher(still(), maxsize=MAXSIZE_MAX)

    @pytest.mark.parametrize(
        ("agents", "angle"),
        [
            (1000, 0.5),
            (-1, 0.5),
            (0, math.inf),
            (0, math.nan),
            (0, "far"),
            ("first", 0.5),
            (1.5, 0.5),
            ([0, 1000], 0.5),
            ([0, 1], [0.5, math.nan]),
            ([0, 1], [0.5, 0.5, 0.5]),
            ([[0, 1]], 0.5),
        ],
    )
    def test_nothing_is_queued_then(self, agents, angle):
        with emerge.Batcher(still()) as batcher:
            with pytest.raises((emerge.InvalidValue, emerge.InvalidType)):
                batcher.nudge(agents, angle)
            assert len(batcher) == 0


class TestManyThreads:
    @pytest.mark.parametrize("schedule", SCHEDULES)
    @pytest.mark.parametrize("maxsize", [64, 65536])
    def test_totals_are_exact(self, schedule, maxsize):
        """A hundred threads, one by one and in arrays, through one batcher or the other, while the swarm runs."""
        count, n, nudges = 100, 1000, 400
        swarm = still(n)
        agents = [np.random.default_rng(k).integers(0, n, nudges) for k in range(count)]
        with (
            emerge.Batcher(swarm, maxsize=maxsize, timeout=None) as one,
            emerge.Batcher(swarm, maxsize=maxsize, timeout=None) as two,
        ):

            def work(rank):
                batcher, angle = (one, two)[rank % 2], 1e-5 * (rank + 1)
                for agent in agents[rank][: nudges // 2].tolist():
                    assert batcher.nudge(agent, angle) == 1
                assert batcher.nudge(agents[rank][nudges // 2 :], angle) == nudges // 2

            threads = started(count, work)
            swarm.run(
                1e9,
                schedule=schedule,
                until=lambda _: not any(thread.is_alive() for thread in threads),
                every=0.05,
                timeout=100,
            )
            ended(threads)
            swarm.step(schedule=schedule)
            assert len(one) == len(two) == 0
        expected = np.zeros(n)
        for rank in range(count):
            np.add.at(expected, agents[rank], 1e-5 * (rank + 1))
        assert expected.min() > 0
        assert np.max(np.abs(swarm.phase - expected)) < 1e-12
        assert swarm.metrics().batched == count * nudges
        assert swarm.check() == ()

    def test_some_flush_while_ticks_do(self):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=128, timeout=None) as batcher:

            def work(rank):
                for k in range(2000):
                    batcher.nudge(rank, 2.0**-15)
                    if k % (rank + 2) == 0:
                        batcher.flush()

            threads = started(6, work)
            swarm.run(1e9, until=lambda _: not any(t.is_alive() for t in threads), every=0.05, timeout=DEADLINE)
            ended(threads)
        assert swarm.phase[:7] == pytest.approx([2000 * 2.0**-15] * 6 + [0.0], abs=1e-12)
        assert swarm.metrics().batched == 12_000

    def test_the_steady_state_takes_no_memory(self):
        swarm = still()
        with emerge.Batcher(swarm, maxsize=64) as batcher:
            swarm.step()
            before = _engine.allocations()
            for k in range(200):
                batcher.nudge(np.arange(50), 0.01), batcher.nudge(k, 0.01)
                swarm.step(3) if k % 2 else batcher.flush()
            assert _engine.allocations() == before


FORKED = """
import os, sys, threading
import emerge

swarm = emerge.Swarm(emerge.Topology.ring(5000), emerge.Kuramoto(coupling=0.0), phase=0.0, threads=1)
batcher = emerge.Batcher(swarm, maxsize=64, timeout=5.0)
over = threading.Event()

def pester():
    while not over.is_set():
        try:
            batcher.nudge([1] * 100, 0.0)
        except emerge.Full:
            pass

def drain():
    while not over.is_set():
        batcher.flush()

threads = [threading.Thread(target=target) for target in (pester, pester, drain)]
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        try:
            batcher.flush()
            assert len(batcher) == 0
            assert batcher.nudge([2] * 64, 0.5 / 64) == 64
            assert len(batcher) == 64
            swarm.step()
            assert abs(swarm.phase[2] - 0.5) < 1e-12
            helpers = [threading.Thread(target=batcher.nudge, args=(3, 0.125)) for _ in range(4)]
            [helper.start() for helper in helpers]
            [helper.join() for helper in helpers]
            batcher.close()
            assert swarm.phase[3] == 0.5
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
over.set()
for thread in threads:
    thread.join()
batcher.close()
print("whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is needed")
def test_a_forked_child_goes_on():
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr
