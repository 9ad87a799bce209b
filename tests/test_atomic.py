"""Numbers that threads share: what each operation does, what is refused, and that nothing is lost."""

import copy
import math
import pickle
import sys
import threading
import time

import numpy as np
import pytest

import emerge
from emerge import _engine

TURN = 2 * np.pi
DEADLINE = 60.0
OPERATIONS = {
    "load": (),
    "store": (1.0,),
    "add": (1.0,),
    "turn": (1.0,),
    "compare_exchange": (0.0, 1.0),
}
"""Every operation on entries, with arguments that it accepts."""


def together(count, work):
    """Run work(rank) in `count` threads that start at once; whatever one raises is raised here."""
    start, failures = threading.Event(), []

    def body(rank):
        try:
            assert start.wait(DEADLINE)
            work(rank)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=body, args=(rank,), daemon=True) for rank in range(count)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def bits(numbers):
    return np.asarray(numbers, dtype=np.float64).view(np.uint64)


class TestMaking:
    def test_a_number_of_entries_all_zero(self):
        array = emerge.AtomicArray(5)
        assert len(array) == 5
        assert repr(array) == "AtomicArray(5 entries)"
        assert np.array_equal(bits(array.snapshot()), np.zeros(5, np.uint64))
        assert len(emerge.AtomicArray(np.int32(3))) == 3

    def test_numbers_are_copied(self):
        given = np.array([1.0, -0.0, np.inf, np.nan])
        array = emerge.AtomicArray(given)
        given[:] = 7.0
        assert np.array_equal(bits(array.snapshot()), bits([1.0, -0.0, np.inf, np.nan]))
        assert np.array_equal(emerge.AtomicArray([1, 2]).snapshot(), [1.0, 2.0])
        assert np.array_equal(emerge.AtomicArray(np.arange(6, dtype=np.float32)[::2]).snapshot(), [0.0, 2.0, 4.0])

    @pytest.mark.parametrize("values", [0, -1, [], 2**48 + 1, np.zeros((2, 2))])
    def test_other_values_are_refused(self, values):
        with pytest.raises(emerge.InvalidValue):
            emerge.AtomicArray(values)

    @pytest.mark.parametrize("values", [True, 1.5, "3", None, ["a"], [True], [1j], [[1], [1, 2]]])
    def test_other_types_are_refused(self, values):
        with pytest.raises(emerge.InvalidType):
            emerge.AtomicArray(values)

    def test_what_does_not_fit_is_refused_with_its_size(self):
        with pytest.raises(emerge.TooLarge, match=str(2**48)):
            _engine.Words(2**48)
        with pytest.raises(emerge.TooLarge):
            emerge.AtomicArray(2**48)

    def test_copies_share_nothing(self):
        array = emerge.AtomicArray([1.0, 2.0])
        for other in (copy.copy(array), copy.deepcopy(array), pickle.loads(pickle.dumps(array))):
            other.store(0, 9.0)
            assert array.load(0) == 1.0
            assert np.array_equal(other.snapshot(), [9.0, 2.0])

    def test_memory_is_given_back(self):
        before = _engine.allocations()
        array = emerge.AtomicArray(10)
        assert _engine.allocations() == before + 1
        del array
        assert _engine.allocations() == before


class TestOne:
    def test_load_and_store(self):
        array = emerge.AtomicArray(3)
        assert array.store(1, 2.5) is None
        assert array.load(1) == 2.5
        assert type(array.load(1)) is float
        assert array.load(0) == array.load(2) == 0.0
        array.store(np.int64(2), np.float32(0.5))
        array.store(0, 7)
        assert np.array_equal(array.snapshot(), [7.0, 2.5, 0.5])

    def test_add_returns_what_was(self):
        array = emerge.AtomicArray([1.0, 1.0])
        assert array.add(0, 0.1) == 1.0
        assert array.add(0, -3) == 1.1
        assert np.array_equal(array.snapshot(), [1.1 - 3, 1.0])
        assert array.add(1, math.inf) == 1.0
        assert array.load(1) == math.inf

    def test_turn_wraps_and_returns_what_was(self):
        array = emerge.AtomicArray([6.0, 1.0])
        assert array.turn(0, 1.0) == 6.0
        assert array.load(0) == pytest.approx(7.0 - TURN, abs=2e-15)
        assert array.turn(1, -2) == 1.0
        assert array.load(1) == pytest.approx(TURN - 1.0, abs=2e-15)

    @pytest.mark.parametrize("angle", [0.0, TURN, -TURN, 1e3, -1e5, 1e6, 3e9, -1e300])
    @pytest.mark.parametrize("held", [0.0, 3.0, -4.0, 1e6, -1e9, 1e300])
    def test_turn_is_modular_however_far(self, held, angle):
        array = emerge.AtomicArray([held])
        array.turn(0, angle)
        new = array.load(0)
        assert 0.0 <= new < TURN
        whole = math.fmod(held, TURN) + math.fmod(angle, TURN)
        assert abs(math.remainder(new - whole, TURN)) < 1e-9  # turns of reach, times the rounding of 2 pi

    def test_turn_of_what_is_no_phase(self):
        array = emerge.AtomicArray([math.inf, math.nan])
        assert array.turn(0, 1.0) == math.inf
        assert math.isnan(array.load(0))
        assert math.isnan(array.turn(1, 1.0))

    def test_compare_exchange_compares_bits(self):
        array = emerge.AtomicArray([0.0, math.nan, 1.0])
        assert array.compare_exchange(2, 1.0, 2.0) is True
        assert array.compare_exchange(2, 1.0, 3.0) is False
        assert array.compare_exchange(0, -0.0, 1.0) is False
        assert array.compare_exchange(1, array.load(1), 5.0) is True
        assert np.array_equal(array.snapshot(), [0.0, 5.0, 2.0])


class TestMany:
    def test_each_entry_in_the_order_given(self):
        array = emerge.AtomicArray(4)
        array.store([0, 3, 0], [1.0, 2.0, 3.0])
        assert np.array_equal(array.snapshot(), [3.0, 0.0, 0.0, 2.0])
        assert np.array_equal(array.add([0, 0, 1], 0.5), [3.0, 3.5, 0.0])
        assert np.array_equal(array.load(np.array([0, 1, 1], np.uint8)), [4.0, 0.5, 0.5])
        assert np.array_equal(array.turn([2, 2], [-1.0, 1.0]), [0.0, TURN - 1.0])
        done = array.compare_exchange([3, 3, 1], 2.0, [5.0, 6.0, 7.0])
        assert done.dtype == np.bool_
        assert done.tolist() == [True, False, False]
        assert array.load(3) == 5.0

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_the_same_as_one_by_one(self, name):
        rng = np.random.default_rng(5)
        start = np.round(rng.uniform(0, 6, 50), 1)
        index = rng.integers(0, 50, 400)
        more = [np.round(rng.uniform(0, 6, 400), 1) for _ in OPERATIONS[name]]
        many, single = emerge.AtomicArray(start), emerge.AtomicArray(start)
        got = getattr(many, name)(index, *more)
        want = [getattr(single, name)(int(i), *(float(m[k]) for m in more)) for k, i in enumerate(index)]
        assert np.array_equal(many.snapshot(), single.snapshot())
        if name != "store":
            assert got.tolist() == want
            assert len(set(want)) > 1

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_no_index_is_nothing_to_do(self, name):
        array = emerge.AtomicArray(2)
        result = getattr(array, name)([], *OPERATIONS[name])
        assert result is None or len(result) == 0
        assert np.array_equal(array.snapshot(), [0.0, 0.0])

    def test_arrays_of_any_layout(self):
        array = emerge.AtomicArray(10)
        array.add(np.arange(10)[::2], np.arange(10.0)[::-2])
        assert np.array_equal(array.snapshot()[::2], [9.0, 7.0, 5.0, 3.0, 1.0])
        assert np.array_equal(array.snapshot()[1::2], np.zeros(5))
        frozen = np.arange(3)
        frozen.flags.writeable = False
        assert np.array_equal(array.load(frozen), [9.0, 0.0, 7.0])


class TestRefusing:
    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize("index", [3, -1, 2**70, [0, 3], [-1, 0], np.array([2**63], np.uint64)])
    def test_index_out_of_range(self, name, index):
        array = emerge.AtomicArray([0.0, 0.0, 0.0])
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match="index"):
            getattr(array, name)(index, *OPERATIONS[name])
        assert np.array_equal(array.snapshot(), np.zeros(3))

    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize("index", [1.0, "1", None, True, [1.0], [True], ["1"], [[0]], [[0], [0, 1]], slice(2)])
    def test_index_of_another_type(self, name, index):
        array = emerge.AtomicArray([0.0, 0.0, 0.0])
        with pytest.raises(emerge.InvalidType, match="index"):
            getattr(array, name)(index, *OPERATIONS[name])
        assert np.array_equal(array.snapshot(), np.zeros(3))

    @pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "load"])
    @pytest.mark.parametrize("index", [1, [0, 1]])
    @pytest.mark.parametrize("value", ["1", None, 1j, [1.0, "a"], object()])
    def test_value_of_another_type(self, name, index, value):
        array = emerge.AtomicArray([0.0, 0.0, 0.0])
        with pytest.raises(emerge.InvalidType):
            getattr(array, name)(index, *OPERATIONS[name][1:], value)
        assert np.array_equal(array.snapshot(), np.zeros(3))

    @pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "load"])
    def test_value_of_another_length(self, name):
        array = emerge.AtomicArray(3)
        for index, value in (([0, 1], [1.0]), ([0, 1], [1.0, 1.0, 1.0]), ([0], [[1.0]]), (0, [1.0])):
            with pytest.raises((emerge.InvalidValue, emerge.InvalidType)):
                getattr(array, name)(index, *OPERATIONS[name][1:], value)
        assert np.array_equal(array.snapshot(), np.zeros(3))

    @pytest.mark.parametrize("angle", [math.nan, math.inf, -math.inf])
    def test_angles_that_are_not_finite_turn_nobody(self, angle):
        array = emerge.AtomicArray(3)
        with pytest.raises(emerge.InvalidValue, match="angle"):
            array.turn(0, angle)
        with pytest.raises(emerge.InvalidValue, match="entry 2"):
            array.turn([0, 1, 2], [1.0, 1.0, angle])
        assert np.array_equal(array.snapshot(), np.zeros(3))
        array.store(0, angle)  # a number it may be
        assert bits(array.load(0)) == bits(angle)


class TestThreads:
    THREADS, ROUNDS = 8, 300

    def test_additions_add_up_exactly(self):
        array = emerge.AtomicArray(7)

        def work(rank):
            rng = np.random.default_rng(rank)
            for _ in range(self.ROUNDS):
                array.add(rng.permutation(np.repeat(np.arange(5), 40)), 0.25)
                array.add(5, 0.5)
                array.add(6, rank)

        together(self.THREADS, work)
        calls = self.THREADS * self.ROUNDS
        assert array.snapshot().tolist() == [10.0 * calls] * 5 + [0.5 * calls, 28.0 * self.ROUNDS]

    def test_a_load_and_a_store_would_lose_some(self):
        """What the exact sum above is worth: without `add`, between a load and a store others come."""
        array = emerge.AtomicArray(1)
        seen, added = threading.Event(), threading.Event()

        def work(rank):
            if rank == 0:
                number = array.load(0)
                seen.set()
                assert added.wait(DEADLINE)
                array.store(0, number + 1.0)
            else:
                assert seen.wait(DEADLINE)
                array.add(0, 1.0)
                added.set()

        together(2, work)
        assert array.load(0) == 1.0

    def test_turns_make_one_chain(self):
        """Each turn starts from what exactly one other left, to the bit; readers see phases only."""
        array = emerge.AtomicArray([3.0])
        olds, angles = {}, {}

        def work(rank):
            rng = np.random.default_rng(100 + rank)
            olds[rank], angles[rank] = [], []
            for _ in range(self.ROUNDS):
                angle = rng.uniform(-10, 10, 30)
                old = array.turn(np.zeros(30, int), angle)
                assert ((old >= 0) & (old < TURN)).all()
                olds[rank].append(old)
                angles[rank].append(angle)

        together(self.THREADS, work)
        old = np.concatenate([part for rank in olds for part in olds[rank]])
        angle = np.concatenate([part for rank in angles for part in angles[rank]])
        again = emerge.AtomicArray(old)
        again.turn(np.arange(len(old)), angle)
        before = np.sort(bits([*old, array.load(0)]))
        after = np.sort(bits([*again.snapshot(), 3.0]))
        assert np.array_equal(before, after)
        assert len(np.unique(before)) > len(before) // 2
        assert abs(math.remainder(array.load(0) - 3.0 - math.fsum(angle), TURN)) < 1e-10

    def test_compare_exchange_lets_one_win(self):
        array = emerge.AtomicArray(1000)
        won = {}

        def work(rank):
            order = np.random.default_rng(rank).permutation(1000)
            done = array.compare_exchange(order[:900], 0.0, rank + 1.0)
            late = [array.compare_exchange(int(i), 0.0, rank + 1.0) for i in order[900:]]
            won[rank] = order[np.concatenate([done, late])]

        together(self.THREADS, work)
        assert np.array_equal(np.sort(np.concatenate(list(won.values()))), np.arange(1000))
        for rank, places in won.items():
            assert (array.load(places) == rank + 1.0).all()

    def test_a_number_brings_what_was_done_before_it(self):
        array = emerge.AtomicArray(1)
        box = np.zeros(self.THREADS)

        def work(rank):
            box[rank] = rank + 1.0
            last = array.add(0, 1.0) == self.THREADS - 1
            if last:
                assert box.sum() == self.THREADS * (self.THREADS + 1) / 2

        together(self.THREADS, work)
        assert array.load(0) == self.THREADS

    def test_snapshots_tear_no_number(self):
        halves = np.array([0x1111111111111111, 0x2222222222222222], np.uint64).view(np.float64)
        array = emerge.AtomicArray(np.full(500, halves[0]))
        ended = threading.Event()
        seen = set()

        def work(rank):
            if rank < 2:
                try:
                    for k in range(400):
                        array.store(np.arange(500), halves[(k + rank) % 2])
                finally:
                    ended.set()
            else:
                while not ended.is_set():
                    seen.update(array.snapshot().tolist())

        together(4, work)
        seen.update(array.snapshot().tolist())
        assert seen <= set(halves.tolist())

    def test_many_entries_release_the_gil(self):
        """Another thread looks on while a call works through its entries, though no thread is made to give way."""
        array = emerge.AtomicArray(1000)
        index = np.arange(2_000_000) % 1000
        running, seen = threading.Event(), [0.0]
        before = sys.getswitchinterval()

        def work(rank):
            if rank == 0:
                running.set()
                array.add(index, 1.0)
            else:
                assert running.wait(DEADLINE)
                deadline = time.monotonic() + DEADLINE
                while seen[-1] < 2000.0 and time.monotonic() < deadline:
                    seen.append(array.load([999])[0])

        sys.setswitchinterval(100.0)
        try:
            together(2, work)
        finally:
            sys.setswitchinterval(before)
        assert seen[-1] == 2000.0
        assert any(0.0 < number < 2000.0 for number in seen)

    def test_arrays_that_change_meanwhile_are_checked_copies(self):
        """Another thread that writes wild numbers to the index array is refused or unheard, never followed."""
        array = emerge.AtomicArray(100)
        index = np.zeros(20_000, np.int64)
        ended = threading.Event()
        told = []

        def work(rank):
            if rank == 0:
                try:
                    for _ in range(200):
                        try:
                            told.append(len(array.add(index, 1.0)))
                        except emerge.InvalidValue:
                            told.append(0)
                finally:
                    ended.set()
            else:
                while not ended.is_set():
                    index[::7] = 2**40
                    index[::7] = 0

        together(2, work)
        assert array.snapshot().sum() == array.load(0) == sum(told)
