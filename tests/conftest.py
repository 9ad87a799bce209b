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
    """Set aside what imports have made, so that a collection is cheap."""
    gc.collect()
    gc.freeze()


class Memory:
    """Allocations of the engine, where no garbage counts: what was counted last had none."""

    counted = 0

    @classmethod
    def count(cls):
        """Collect garbage if something has changed, which takes longer than most tests, and count."""
        if _engine.allocations() != cls.counted:
            gc.collect()
            cls.counted = _engine.allocations()
        return cls.counted


@pytest.fixture(autouse=True)
def nothing_stays():
    """Memory of the engine and live threads after a test are those from before it."""
    memory, threads = Memory.count(), threading.active_count()
    yield
    assert Memory.count() == memory
    assert threading.active_count() <= threads
