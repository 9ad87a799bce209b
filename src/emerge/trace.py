"""Which run did it: an id that every log record and event of a run carries, across threads and tasks.

The logger is ``logging.getLogger("emerge")``, silent until the program gives it a handler.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import InvalidType

__all__ = ["current", "log", "trace"]

_id: ContextVar[str | None] = ContextVar("emerge_trace", default=None)


class _Traced(logging.Filter):
    """Puts the id of the current trace into records; lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.trace = _id.get()
        return True


log = logging.getLogger("emerge")
"""The logger of everything here; its records have an attribute ``trace``."""

log.addHandler(logging.NullHandler())
log.addFilter(_Traced())


def current() -> str | None:
    """Return the id of the trace that holds here, or None."""
    return _id.get()


@contextmanager
def trace(name: str) -> Iterator[str]:
    """Put an id into every log record and event of what is begun in the block.

    Parameters
    ----------
    name : str
        The id, not empty.

    Yields
    ------
    str
        The same id.

    Raises
    ------
    InvalidType
        If it is no text, or empty.

    Notes
    -----
    Holds for this thread or task and for whatever it begins: runs, live loops, commands sent to live loops. Kept in
    a `contextvars.ContextVar`, so threads and tasks that run side by side do not see each other's. Inside another
    trace, the inner one holds.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> with emerge.trace("experiment 7"), swarm.events.subscribe(emerge.Stopped) as inbox:
    ...     result = swarm.run(1.0)
    >>> inbox.poll().trace
    'experiment 7'
    """
    if not isinstance(name, str) or not name:
        raise InvalidType(f"the id of a trace is a text that is not empty, not {name!r}")
    token = _id.set(name)
    try:
        yield name
    finally:
        _id.reset(token)
