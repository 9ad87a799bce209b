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


def pytest_collection_finish():
    """Set aside what imports have made, so that a collection after every test is cheap."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_stays():
    """Memory of the engine and live threads after a test are those from before it."""
    gc.collect()
    memory, threads = _engine.allocations(), threading.active_count()
    yield
    gc.collect()
    assert _engine.allocations() == memory
    assert threading.active_count() <= threads
