"""The few errors that emerge raises by name.

Each derives from `EmergeError` and from the built-in that a user would catch, and its message is one
sentence: what was given, what is allowed, what to do. This module is a leaf: it imports nothing of emerge.
"""

import queue
import threading

__all__ = [
    "BrokenBarrier",
    "Busy",
    "CheckpointError",
    "Closed",
    "Diverged",
    "EmergeError",
    "Full",
    "GraphError",
    "GraphFileError",
    "Infeasible",
    "InvalidType",
    "InvalidValue",
    "MissingExtra",
    "TooLarge",
    "Unavailable",
]


class EmergeError(Exception):
    """Base of every error that emerge raises by name."""


class InvalidValue(EmergeError, ValueError):
    """An argument has the right type and a value, length or range that is not admitted."""


class InvalidType(EmergeError, TypeError):
    """An argument has a type, or an array an element type, that is not admitted."""


class GraphError(InvalidValue):
    """Agents and edges that make no topology."""


class GraphFileError(GraphError):
    """A file that cannot be read as a graph; the message names the file and, where there is one, the line."""


class Infeasible(InvalidValue):
    """A power grid whose lines cannot carry what is fed in and taken.

    `share` tells how much of it they can, below 1, and `lines` which of them bind.
    """

    def __init__(self, message: str = "", share: float = 0.0, lines: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.share = share
        self.lines = lines


class CheckpointError(InvalidValue):
    """A file that is no saved swarm, or one that this version cannot read."""


class Closed(EmergeError, RuntimeError):
    """Something was used after it was closed."""


class Busy(EmergeError, RuntimeError):
    """The swarm is running in another thread, and what was asked for would change its state under it."""


class BrokenBarrier(EmergeError, threading.BrokenBarrierError):
    """Threads that were to meet will not: one ran out of time or was interrupted, or the barrier was broken."""


class Full(EmergeError, queue.Full):
    """A batcher had no room for as long as was to be waited; `queued` tells how many nudges had got in before."""

    def __init__(self, message: str = "", queued: int = 0) -> None:
        super().__init__(message)
        self.queued = queued


class Diverged(EmergeError, ArithmeticError):
    """An agent's step left the range of numbers; it keeps its last phase, and the others have ended the tick."""


class TooLarge(EmergeError, MemoryError):
    """Memory that cannot be had; the message names the size, and nothing was changed."""


class Unavailable(EmergeError, OSError):
    """What was asked of the system cannot be had, such as a port that another program listens on."""


class MissingExtra(EmergeError, ImportError):
    """A feature needs a library that is not installed; the message names the extra that brings it."""
