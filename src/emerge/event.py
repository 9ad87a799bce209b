"""What can happen to a swarm: the kinds of events, each a frozen record.

Who is told of them, and how, is `broadcast.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "KINDS",
    "Converged",
    "Disrupted",
    "Event",
    "Failed",
    "Lost",
    "Restored",
    "Started",
    "Stopped",
    "Ticked",
    "TopologyChanged",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Event:
    """Something that happened to a swarm.

    Attributes
    ----------
    time : float
        Time of the swarm: exact for what a run or a live loop tells; for what other threads do while it runs, the
        end of the last batch of ticks.
    tick : int
        Ticks that the swarm had done since it was made.
    coherence : float
        Coherence R in [0, 1] at that time; NaN if there was none to be had without waiting.
    trace : str or None
        Id of the `emerge.trace` under which it happened.
    """

    time: float
    tick: int
    coherence: float
    trace: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Started(Event):
    """A run or a live loop began.

    Attributes
    ----------
    dt : float
        Length of a tick in units of time.
    """

    dt: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ticked(Event):
    """Ticks were done; made by runs and live loops, at the interval that the subscription chose."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Converged(Event):
    """The target was reached.

    Attributes
    ----------
    target : Coherent, Locked, Condition or callable
        What was to be reached.
    """

    target: object


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lost(Event):
    """Coherence fell 0.05 below the target after it had been reached.

    Attributes
    ----------
    target : Coherent
        What had been reached.
    """

    target: object


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disrupted(Event):
    """Agents were knocked out of phase; its coherence is that of before, since nudges are applied with the next tick.

    Attributes
    ----------
    agents : ndarray of int64, shape (k,)
        Who, ascending; read-only.
    """

    agents: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TopologyChanged(Event):
    """The swarm got another topology.

    Attributes
    ----------
    topology : Topology
        The new one.
    """

    topology: Any


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failed(Event):
    """Agents failed.

    Attributes
    ----------
    agents : ndarray of int64, shape (k,)
        Who, as `Swarm.fail` was told; read-only.
    """

    agents: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restored(Event):
    """Agents that had failed were taken back.

    Attributes
    ----------
    agents : ndarray of int64, shape (k,)
        Who; read-only.
    """

    agents: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stopped(Event):
    """A run or a live loop ended.

    Attributes
    ----------
    reason : str
        As in `emerge.RunResult`; "stopped" for a live loop that was told to, "failed" for one that broke.
    """

    reason: str


KINDS: tuple[type[Event], ...] = (
    Started, Ticked, Converged, Lost, Disrupted, TopologyChanged, Failed, Restored, Stopped,
)  # fmt: skip
"""All kinds of events."""
