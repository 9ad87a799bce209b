"""Who fired when: what a run records of agents that fire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue, TooLarge
from .observer import Observer, View
from .result import Series

if TYPE_CHECKING:
    from .swarm import Swarm

__all__ = ["Fired", "Firings"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Firings(Observer):
    """Each firing of a run, as a time and an agent, of models whose agents fire.

    ``history["firings"].time`` holds the times, ascending, and ``.value`` the agents. Firings of one avalanche have the
    same time; within it they stand in the order of its rounds, those of one round ascending. As what a run waits for,
    ``until=observe.Firings().above(1000)``, it is the number of firings so far.

    Parameters
    ----------
    every, after : float, optional
        As for any `Observer`: how often what the engine has recorded is taken from it, and when that begins.
    most : int, default 10_000_000
        Most firings that are recorded, 16 bytes each; a run with more ends with `TooLarge`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range; when a run begins, if agents of its model do not fire, or
        somebody else records firings in it.

    Notes
    -----
    Exact times, whatever dt is. The same bits on any number of threads. Nothing is recorded that nobody asked for.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.IntegrateAndFire(1.0, 0.0, 0.0), phase=[0.0, 1.0, 3.0])
    >>> seen = swarm.run(1.2, record=observe.Firings()).history["firings"]
    >>> seen.value.tolist(), seen.time.round(3).tolist()
    ([2, 1, 0], [0.523, 0.841, 1.0])
    """

    most: int = 10_000_000
    name: ClassVar[str] = "firings"
    sums_up: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        object.__setattr__(self, "most", admit.count(self.most, "most"))

    def _begin(self, swarm: Swarm) -> Fired:
        if not swarm.model._pulses:
            raise InvalidValue(
                f"agents of {type(swarm.model).__name__} do not fire: use a model with pulses, such as"
                " emerge.IntegrateAndFire"
            )
        return Fired(swarm, self.most)


class Fired:
    """What was recorded of one run."""

    def __init__(self, swarm: Swarm, most: int) -> None:
        self._engine, self._most = swarm._engine, most
        self._begun = False
        self._times: list[npt.NDArray[np.float64]] = []
        self._agents: list[npt.NDArray[np.int64]] = []
        self.value = 0

    def take(self, _: View) -> None:
        """Begin to record, or take what the engine has recorded."""
        if not self._begun:
            self._engine.keep_firings(self._most)
            self._begun = True
        lost = self._take()
        if self.value > self._most:
            raise TooLarge(f"more than {self._most} firings were to be recorded: give a larger most=, or record later")
        if lost:
            raise TooLarge(f"there is no memory left for more than {self.value - lost} firings: record later, or fewer")

    def _take(self) -> int:
        """Take what the engine has recorded; returns how many firings it could not."""
        times, agents, lost = self._engine.take_firings()
        self.value += len(times) + lost
        self._times.append(times)
        self._agents.append(agents)
        return lost

    def series(self) -> Series:
        """Return all firings so far that were recorded."""
        if self._begun:
            self._take()
        return Series(np.concatenate([[], *self._times]), np.concatenate([np.empty(0, np.int64), *self._agents]))
