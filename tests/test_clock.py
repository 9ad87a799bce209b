"""Clocks: one that is moved by hand, and what is refused as a clock."""

import math
import threading

import pytest

import emerge
from emerge.clock import SystemClock, clock_of


def test_it_stands_still_until_it_is_moved():
    clock = emerge.ManualClock(3.0)
    assert clock.time() == 3.0
    clock.advance(0.5)
    assert clock.time() == 3.5
    assert repr(clock) == "ManualClock(3.5)"


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
def test_it_never_goes_back(seconds):
    with pytest.raises(emerge.InvalidValue, match="seconds must be"):
        emerge.ManualClock().advance(seconds)


def test_whoever_waits_is_woken():
    clock, condition = emerge.ManualClock(), threading.Condition()
    waiting, times = threading.Semaphore(0), []

    def wait():
        with condition:
            waiting.release()
            while clock.time() < 2.0:
                clock.wait(condition, 2.0)
            times.append(clock.time())

    waiters = [threading.Thread(target=wait) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    for _ in waiters:
        waiting.acquire(timeout=20)
    clock.advance(1.0)
    clock.advance(1.0)
    for waiter in waiters:
        waiter.join(timeout=20)
    assert times == [2.0] * 3


@pytest.mark.parametrize("clock", [emerge.ManualClock(), SystemClock()])
def test_a_time_that_has_come_is_not_waited_for(clock):
    condition = threading.Condition()
    with condition:
        clock.wait(condition, clock.time())


def test_the_systems_clock_never_goes_back():
    clock = clock_of(None)
    assert clock.time() <= clock.time()


@pytest.mark.parametrize("clock", [3, "x", emerge.ManualClock, threading.Event()])
def test_what_is_no_clock(clock):
    with pytest.raises(emerge.InvalidType, match=r"a clock has time\(\) and wait"):
        clock_of(clock)
