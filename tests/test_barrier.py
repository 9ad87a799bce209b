"""The barrier for Python threads: all meet or none do, and every wait has a way out."""

import gc
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

import emerge
from emerge import _engine

DEADLINE = 60.0


class Started:
    """Threads that run work(rank), and what each returned or raised."""

    def __init__(self, count, work):
        self.outcome = [None] * count

        def body(rank):
            try:
                self.outcome[rank] = work(rank)
            except BaseException as failure:
                self.outcome[rank] = failure

        self.threads = [threading.Thread(target=body, args=(rank,), daemon=True) for rank in range(count)]
        for thread in self.threads:
            thread.start()

    def end(self):
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive()
        return self.outcome


def until(truth):
    """Look until something holds; the interpreter lets others in."""
    deadline = time.monotonic() + DEADLINE
    while not truth():
        assert time.monotonic() < deadline


def broken(outcome):
    return [isinstance(one, emerge.BrokenBarrier) for one in outcome]


class TestMeeting:
    @pytest.mark.parametrize("parties", [1, 2, 3, 8, 16])
    def test_everybody_comes_before_anybody_goes(self, parties):
        barrier = emerge.PhaseBarrier(parties, timeout=DEADLINE)
        phases = 200
        counts = [0] * parties
        places = [[] for _ in range(parties)]

        def work(rank):
            for phase in range(1, phases + 1):
                counts[rank] = phase
                places[rank].append(barrier.wait())
                assert min(counts) == max(counts) == phase
                barrier.wait()

        assert Started(parties, work).end() == [None] * parties
        for phase in range(phases):
            assert sorted(own[phase] for own in places) == list(range(parties))
        assert not barrier.broken
        assert barrier.n_waiting == 0

    def test_without_a_barrier_somebody_goes_before(self):
        """What the test above is worth: who does not wait does not see the others' work."""
        counts, seen, looked = [0, 0], [], threading.Event()

        def work(rank):
            if rank == 0:
                counts[0] = 1
                seen.append(min(counts))
                looked.set()
            else:
                assert looked.wait(DEADLINE)
                counts[1] = 1

        Started(2, work).end()
        assert seen == [0]

    def test_places_are_given_in_the_order_of_coming(self):
        barrier = emerge.PhaseBarrier(3)
        first = Started(1, lambda rank: barrier.wait())
        until(lambda: barrier.n_waiting == 1)
        second = Started(1, lambda rank: barrier.wait())
        until(lambda: barrier.n_waiting == 2)
        assert repr(barrier) == "PhaseBarrier(3 parties, 2 waiting)"
        assert barrier.wait(DEADLINE) == 2
        assert (first.end(), second.end()) == ([0], [1])
        assert barrier.parties == 3

    def test_more_threads_than_parties(self):
        barrier = emerge.PhaseBarrier(3, timeout=DEADLINE)
        rounds, left = 3 * 400, threading.Semaphore(3 * 400)
        places = [[] for _ in range(8)]

        def work(rank):
            while left.acquire(blocking=False):
                places[rank].append(barrier.wait())

        assert Started(8, work).end() == [None] * 8
        met = [place for own in places for place in own]
        assert len(met) == rounds
        assert [met.count(place) for place in range(3)] == [400] * 3
        assert barrier.n_waiting == 0

    def test_a_barrier_is_used_as_that_of_threading(self):
        for kind in (emerge.PhaseBarrier, threading.Barrier):
            barrier = kind(2, timeout=DEADLINE)
            assert (barrier.parties, barrier.n_waiting, barrier.broken) == (2, 0, False)
            assert sorted(Started(2, lambda rank, b=barrier: b.wait()).end()) == [0, 1]
            barrier.abort()
            with pytest.raises(threading.BrokenBarrierError):
                barrier.wait()
            assert barrier.broken
            barrier.reset()
            assert not barrier.broken

    def test_waiting_takes_no_processor_time(self):
        barrier = emerge.PhaseBarrier(2)
        spent = time.process_time()
        with pytest.raises(emerge.BrokenBarrier):
            barrier.wait(0.5)
        assert time.process_time() - spent < 0.25


class TestBreaking:
    def test_who_runs_out_of_time_breaks_it_for_all(self):
        barrier = emerge.PhaseBarrier(4)
        others = Started(2, lambda rank: barrier.wait())
        until(lambda: barrier.n_waiting == 2)
        begun = time.monotonic()
        with pytest.raises(emerge.BrokenBarrier, match=r"within 0\.05 s.*reset"):
            barrier.wait(0.05)
        assert time.monotonic() - begun >= 0.05
        assert broken(others.end()) == [True, True]
        assert barrier.broken
        assert barrier.n_waiting == 0
        assert repr(barrier) == "PhaseBarrier(4 parties, broken)"
        with pytest.raises(emerge.BrokenBarrier, match="is broken"):
            barrier.wait()

    def test_the_timeout_of_the_barrier_and_that_of_a_wait(self):
        barrier = emerge.PhaseBarrier(2, timeout=0.02)
        with pytest.raises(emerge.BrokenBarrier, match=r"within 0\.02 s"):
            barrier.wait()
        barrier.reset()
        with pytest.raises(emerge.BrokenBarrier, match=r"within 0\.03 s"):
            barrier.wait(0.03)

    def test_who_is_in_time_breaks_nothing(self):
        barrier = emerge.PhaseBarrier(2, timeout=DEADLINE)
        for _ in range(50):
            assert sorted(Started(2, lambda rank: barrier.wait(DEADLINE)).end()) == [0, 1]
        assert not barrier.broken

    @pytest.mark.parametrize("breach", ["abort", "reset"])
    def test_abort_and_reset_end_every_wait(self, breach):
        barrier = emerge.PhaseBarrier(9)
        waiting = Started(8, lambda rank: barrier.wait())
        until(lambda: barrier.n_waiting == 8)
        getattr(barrier, breach)()
        assert broken(waiting.end()) == [True] * 8
        assert barrier.broken == (breach == "abort")
        assert barrier.n_waiting == 0
        barrier.reset()
        again = Started(9, lambda rank: barrier.wait(DEADLINE))
        assert sorted(again.end()) == list(range(9))

    def test_a_broken_barrier_is_both_errors(self):
        assert issubclass(emerge.BrokenBarrier, threading.BrokenBarrierError)
        assert issubclass(emerge.BrokenBarrier, emerge.EmergeError)
        assert issubclass(emerge.BrokenBarrier, RuntimeError)

    def test_all_go_on_or_none_does(self):
        """Short timeouts and aborts race with the last to come: a phase has one outcome for all its threads."""
        parties, rounds = 6, 150
        between = threading.Barrier(parties)
        barriers = [emerge.PhaseBarrier(parties) for _ in range(rounds)]
        told = [[None] * parties for _ in range(rounds)]

        def work(rank):
            rng = random.Random(rank)
            for k, barrier in enumerate(barriers):
                between.wait(DEADLINE)
                if k % 3 == 1 and rank == 0:
                    barrier.abort()
                try:
                    told[k][rank] = barrier.wait(DEADLINE if k % 3 == 0 else rng.uniform(1e-6, 5e-4))
                except emerge.BrokenBarrier:
                    told[k][rank] = "broken"

        assert Started(parties, work).end() == [None] * parties
        for k, outcome in enumerate(told):
            assert outcome == ["broken"] * parties or sorted(outcome) == list(range(parties))
            if k % 3 < 2:
                assert (outcome[0] == "broken") == (k % 3 == 1)

    def test_resets_strand_nobody(self):
        """Whatever resets and aborts come from several sides, every wait ends, and the barrier works afterwards."""
        barrier = emerge.PhaseBarrier(3)
        ended = threading.Event()

        def work(rank):
            rng = random.Random(rank)
            met = 0
            if rank < 6:
                while not ended.is_set():
                    try:
                        barrier.wait()
                        met += 1
                    except emerge.BrokenBarrier:
                        barrier.reset()
                return met
            for _ in range(300):
                rng.choice([barrier.reset, barrier.abort])()
                until(lambda: barrier.n_waiting > 0 or barrier.broken or ended.is_set())
            return met

        started = Started(8, work)
        for thread in started.threads[6:]:
            thread.join(DEADLINE)
        ended.set()
        deadline = time.monotonic() + DEADLINE
        while any(thread.is_alive() for thread in started.threads):
            assert time.monotonic() < deadline
            barrier.abort()
        assert all(isinstance(one, int) for one in started.end())
        barrier.reset()
        assert sorted(Started(3, lambda rank: barrier.wait(DEADLINE)).end()) == [0, 1, 2]

    def test_memory_is_given_back(self):
        gc.collect()
        before = _engine.allocations()
        barrier = emerge.PhaseBarrier(2)
        for _ in range(10):
            barrier.reset()
        assert _engine.allocations() == before + 1
        del barrier
        assert _engine.allocations() == before


class TestRefusing:
    @pytest.mark.parametrize("parties", [0, -1, 2**20 + 1])
    def test_parties_out_of_range(self, parties):
        with pytest.raises(emerge.InvalidValue, match="parties"):
            emerge.PhaseBarrier(parties)

    @pytest.mark.parametrize("parties", [1.0, "2", None, True])
    def test_parties_of_another_type(self, parties):
        with pytest.raises(emerge.InvalidType, match="parties"):
            emerge.PhaseBarrier(parties)

    @pytest.mark.parametrize("timeout", [0, 0.0, -1.0, math.nan, math.inf])
    def test_timeouts_out_of_range(self, timeout):
        barrier = emerge.PhaseBarrier(2)
        with pytest.raises(emerge.InvalidValue, match="timeout"):
            barrier.wait(timeout)
        with pytest.raises(emerge.InvalidValue, match="timeout"):
            emerge.PhaseBarrier(2, timeout=timeout)
        assert not barrier.broken
        assert barrier.n_waiting == 0

    def test_timeouts_of_another_type(self):
        with pytest.raises(emerge.InvalidType, match="timeout"):
            emerge.PhaseBarrier(2).wait("soon")

    def test_very_long_timeouts_are_long(self):
        barrier = emerge.PhaseBarrier(2, timeout=1e300)
        assert sorted(Started(2, lambda rank: barrier.wait()).end()) == [0, 1]


class TestSignals:
    @pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to threads are needed")
    def test_ctrl_c_ends_a_wait_in_the_main_thread(self):
        assert threading.current_thread() is threading.main_thread()
        barrier = emerge.PhaseBarrier(3)
        sent = []

        def interrupt(rank):
            until(lambda: barrier.n_waiting == 2)
            sent.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)  # of another thread: the main thread's wait is not even woken

        other = Started(1, lambda rank: barrier.wait())
        sender = Started(1, interrupt)
        with pytest.raises(KeyboardInterrupt):
            barrier.wait(DEADLINE)
        assert time.monotonic() - sent[0] < 0.2
        assert barrier.broken
        assert broken(other.end()) == [True]
        assert sender.end() == [None]
        barrier.reset()
        assert sorted(Started(3, lambda rank: barrier.wait(DEADLINE)).end()) == [0, 1, 2]

    def test_a_handler_that_returns_ends_no_wait(self):
        barrier = emerge.PhaseBarrier(2)
        handled = threading.Event()
        before = signal.signal(signal.SIGINT, lambda *_: handled.set())
        try:

            def come(rank):
                until(lambda: barrier.n_waiting == 1)
                signal.raise_signal(signal.SIGINT)
                assert handled.wait(DEADLINE)
                return barrier.wait()

            other = Started(1, come)
            assert barrier.wait(DEADLINE) == 0
        finally:
            signal.signal(signal.SIGINT, before)
        assert other.end() == [1]
        assert not barrier.broken

    @pytest.mark.skipif(os.name != "posix", reason="signals between processes are needed")
    def test_ctrl_c_from_outside(self):
        code = """
import threading, emerge
barrier = emerge.PhaseBarrier(3)
def wait():
    try:
        barrier.wait()
    except emerge.BrokenBarrier:
        print("broken", flush=True)
def tell():
    while barrier.n_waiting < 2:
        pass
    print("waiting", flush=True)
threads = [threading.Thread(target=wait), threading.Thread(target=tell)]
for thread in threads:
    thread.start()
try:
    barrier.wait()
except KeyboardInterrupt:
    for thread in threads:
        thread.join(60)
    print("ended", barrier.broken)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            watchdog = threading.Timer(60, process.kill)
            watchdog.start()
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(signal.SIGINT)
            assert process.stdout.read().split("\n") == ["broken", "ended True", ""]
            watchdog.cancel()
            watchdog.join()
        assert process.returncode == 0
