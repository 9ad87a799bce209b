"""What every test is under: nothing that the engine takes may stay, and no thread may be left behind."""

import gc
import threading

import pytest

from emerge import _engine


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
