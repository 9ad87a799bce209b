"""What every test is under: nothing that the engine takes may stay, and no thread may be left behind."""

import gc
import signal
import threading

import pytest

from emerge import _engine


def pytest_configure():
    """Take Ctrl-C again where a shell that runs the tests in the background has turned it off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def nothing_stays():
    """Memory of the engine and live threads after a test are those from before it.

    Garbage is only collected where something is left, which may be in a cycle: that takes longer than most tests.
    """
    memory, threads = _engine.allocations(), threading.active_count()
    yield
    if _engine.allocations() != memory:
        gc.collect()
    assert _engine.allocations() <= memory
    assert threading.active_count() <= threads
