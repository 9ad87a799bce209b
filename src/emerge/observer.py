"""What an observer is: a frozen value that says what is looked at in a run, and how often.

`record` gives it a `View` of the swarm at ticks fixed beforehand. For each run it makes something that keeps what the
observer needs from sample to sample and has a value: that of the last sample, or what the samples so far come to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from . import admit
from .links import Links
from .phasor import phasors
from .until import Above, Below, Settled

if TYPE_CHECKING:
    from .swarm import Swarm
    from .topology import Topology

__all__ = ["Kept", "Observer", "Sampled", "View"]

Floats = npt.NDArray[np.float64]


class View:
    """What observers see of a swarm: its state at one tick, each part read once, when it is first asked for.

    `ready` holds the links that were made ready last: it goes from view to view.
    """

    def __init__(self, swarm: Swarm, ready: list[Links]) -> None:
        self._swarm = swarm
        self._ready = ready
        self.time = swarm.time
        self.topology: Topology = swarm.topology

    @cached_property
    def phase(self) -> Floats:
        """Phases: a copy."""
        return self._swarm.phase

    @cached_property
    def failed(self) -> npt.NDArray[np.int64]:
        """Who has failed."""
        return self._swarm.failed

    @cached_property
    def living(self) -> npt.NDArray[np.bool_] | None:
        """Who has not failed, or None if all live."""
        if self.failed.size == 0:
            return None
        living = np.ones(len(self._swarm), np.bool_)
        living[self.failed] = False
        return living

    @cached_property
    def phasors(self) -> npt.NDArray[np.complex128]:
        """Phasors, 0 for who has failed."""
        return phasors(self.phase, 1, self.living)

    @cached_property
    def here(self) -> Floats:
        """1 for who lives, 0 for who has failed."""
        return np.ones(len(self._swarm)) if self.living is None else self.living.astype(np.float64)

    @cached_property
    def links(self) -> Links:
        """The links of the topology that holds, ready for sums."""
        if not self._ready or self._ready[0].topology is not self.topology:
            self._ready[:] = [Links(self.topology, len(self._swarm))]
        return self._ready[0]

    @cached_property
    def strengths(self) -> Floats:
        """Weights that adapt: a copy."""
        return self._swarm.strengths

    @cached_property
    def displacement(self) -> Floats:
        """How far agents have turned: a copy."""
        return self._swarm.displacement


class Kept(Protocol):
    """What an observer keeps in one run."""

    def take(self, view: View) -> None:
        """Take a sample."""

    @property
    def value(self) -> Any:
        """The value of the last sample, or what the samples so far come to."""


class Sampled:
    """The value of the last sample and nothing else."""

    def __init__(self, measure: Callable[[View], Any]) -> None:
        self._measure = measure
        self.value: Any = None

    def take(self, view: View) -> None:
        """Take a sample."""
        self.value = self._measure(view)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Observer:
    """What is looked at in a run, and how often; made by the classes of `emerge.observe`.

    Attributes
    ----------
    every : float or None
        Interval between samples in units of time, a whole number of ticks. None: a hundredth of the run.
    after : float
        Time from the start of the run to the first sample, 0 or a whole number of ticks.
    """

    every: float | None = None
    after: float = 0.0

    name: ClassVar[str] = ""
    """What its history is called unless the user says."""

    sums_up: ClassVar[bool] = False
    """Whether it has one value at the end instead of one for each sample."""

    def __post_init__(self) -> None:
        if self.every is not None:
            object.__setattr__(self, "every", admit.real(self.every, "every", above=0.0))
        object.__setattr__(self, "after", admit.real(self.after, "after", least=0.0))

    def above(self, level: float) -> Above:
        """Make the condition that what is observed is at least `level`.

        Parameters
        ----------
        level : float
            Finite. Of complex values the length must reach it, of several values each. What sums a run up is judged by
            what it has come to so far, which is little at first: `settled` may be what you mean.

        Returns
        -------
        Above
            To be given to `Swarm.run` as `until`.

        Raises
        ------
        InvalidType, InvalidValue
            If `level` is no finite number.
        """
        return Above(self, admit.real(level, "level"))

    def below(self, level: float) -> Below:
        """Make the condition that what is observed is at most `level`.

        Parameters
        ----------
        level : float
            Finite. Of complex values the length must fall to it, of several values each.

        Returns
        -------
        Below
            To be given to `Swarm.run` as `until`.

        Raises
        ------
        InvalidType, InvalidValue
            If `level` is no finite number.
        """
        return Below(self, admit.real(level, "level"))

    def settled(self, tolerance: float, window: float) -> Settled:
        """Make the condition that what is observed has settled: it spans at most a tolerance in a window of time.

        Parameters
        ----------
        tolerance : float
            How far the least and the largest value of the window may lie apart, at least 0. Of complex values the
            length counts, of several values each must have settled.
        window : float
            In units of time, greater than 0: that long the observer must have looked, at least.

        Returns
        -------
        Settled
            To be given to `Swarm.run` as `until`. As `emerge.observe.plateau` judges.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is no number in its range.
        """
        return Settled(self, admit.real(tolerance, "tolerance", least=0.0), admit.real(window, "window", above=0.0))

    def _begin(self, swarm: Swarm) -> Kept:
        """Return what is kept in one run of a swarm, empty, or say why it cannot be observed."""
        self._fits(len(swarm))
        return Sampled(self._look)

    def _fits(self, n: int) -> None:
        """Say why a swarm of n agents cannot be observed, if it cannot."""

    def _look(self, view: View) -> Any:
        """Return the value of a sample, of an observer that has one at each."""
        raise NotImplementedError
