"""How a run is told to end, from any thread or task."""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import threading
import weakref
from collections.abc import Callable
from typing import TypeVar

from ._engine import Flag
from .errors import InvalidType
from .fork import renew_after_fork

__all__ = ["CancelToken", "flag_of", "in_thread"]

T = TypeVar("T")


class CancelToken:
    """Tells runs to end: given to `Swarm.run` as ``cancel``, and cancelled from any thread.

    A run ends after the tick in which its token is cancelled, with the reason "cancelled" and a consistent state. One
    token may be given to many runs, of many swarms, at once or one after another; cancelled, it stays so.

    Notes
    -----
    Thread safety: everything, from any thread, also from a signal handler or a callback. Looking at the token costs
    one load a tick.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> token = emerge.CancelToken()
    >>> token.cancel()
    >>> swarm.run(10.0, cancel=token).reason
    'cancelled'
    """

    def __init__(self) -> None:
        self._flag = Flag()
        self._lock = threading.RLock()  # a signal handler may come in between
        self._children: weakref.WeakSet[CancelToken] = weakref.WeakSet()
        renew_after_fork(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"CancelToken({'cancelled' if self.cancelled else 'not cancelled'})"

    @property
    def cancelled(self) -> bool:
        """Whether it has been cancelled."""
        return self._flag.is_set

    def cancel(self) -> None:
        """Tell all runs that have this token to end; again does nothing."""
        self._flag.set()
        with self._lock:
            children = list(self._children)
        for child in children:
            child.cancel()

    def _child(self) -> CancelToken:
        """Make a token that is cancelled when this one is, and can be without it."""
        child = CancelToken()
        with self._lock:
            self._children.add(child)
        if self.cancelled:
            child.cancel()
        return child


def flag_of(cancel: object) -> Flag | None:
    """Return what the engine looks at, for what a user passed as `cancel`."""
    if cancel is None:
        return None
    if not isinstance(cancel, CancelToken):
        raise InvalidType(f"cancel must be an emerge.CancelToken, not {cancel!r}")
    return cancel._flag


def _begun(call: Callable[[], T]) -> tuple[concurrent.futures.Future[T], threading.Thread]:
    """Make a call in a thread of its own, so that it waits for no other; the caller's trace holds there."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(call))
        except BaseException as error:
            future.set_exception(error)

    thread = threading.Thread(target=work, name="emerge run")
    thread.start()
    return future, thread


async def in_thread(call: Callable[[], T], token: CancelToken) -> T:
    """Await what a call in a thread returns; if the task is cancelled, cancel the token and let the call end first."""
    import asyncio

    future, thread = _begun(call)
    task = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        token.cancel()
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):  # once more changes nothing
                await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # what it raised gives way to the cancellation
        raise
    finally:
        token.cancel()  # should this be left in another way
        thread.join()
