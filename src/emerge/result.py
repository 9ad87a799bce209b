"""What a run tells when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["History", "Reason", "RunResult", "Series"]

Reason = Literal["duration", "reached", "timeout", "cancelled", "deadline", "interrupted", "diverged", "stopped"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What one observer recorded.

    Attributes
    ----------
    time : ndarray of float64
        Time of each value. Of an observer that sums a run up: of the first and of the last sample, shape (2,).
    value : ndarray
        The values, first axis time. Of an observer that sums a run up: what it came to.
    """

    time: npt.NDArray[np.float64] = field(repr=False)
    value: npt.NDArray[Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"Series({len(self)} times, values of shape {np.shape(self.value)})"


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a run recorded: coherence of every tick, and what observers saw, which ``history[name]`` is.

    Attributes
    ----------
    time : ndarray of float64, shape (ticks + 1,)
        Time of each entry of coherence: the state it started from and each tick. Empty if it was not recorded.
    coherence : ndarray of float64, shape (ticks + 1,)
        Coherence R in [0, 1] at that time.
    series : mapping of str to Series
        What each observer recorded, by name.
    """

    time: npt.NDArray[np.float64] = field(repr=False)
    coherence: npt.NDArray[np.float64] = field(repr=False)
    series: Mapping[str, Series] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, name: str) -> Series:
        if name in self.series:
            return self.series[name]
        if name == "coherence" and len(self):
            return Series(self.time, self.coherence)
        recorded = ", ".join(map(repr, [*self.series, *(["coherence"] if len(self) else [])]))
        raise KeyError(f"nothing was recorded as {name!r}, but {recorded or 'nothing'}")


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    Attributes
    ----------
    reason : str
        "duration" (all ticks done), "reached" (the target `until`), "timeout" (wall clock), "cancelled"
        (its token was), "deadline" (a tick took too long), "interrupted" (Ctrl-C), "diverged" (an agent's step
        left the range of numbers) or "stopped" (an error of a callable given to `run`).
    time : float
        Time of the swarm at the end.
    ticks : int
        Ticks that this run did.
    coherence : float
        Coherence R in [0, 1] at the end.
    rate : float
        Agents updated per second of wall-clock time.
    history : History or None
        What was recorded, if anything was asked for.
    """

    reason: Reason
    time: float
    ticks: int
    coherence: float
    rate: float
    history: History | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return (
            f"{self.reason} at t = {self.time:.6g} after {self.ticks} ticks:"
            f" R = {self.coherence:.4f}, {self.rate:.3g} updates/s"
        )
