"""What a run may wait for: targets that the engine tests after every tick, and conditions on what is observed.

A target is a value; the test itself is part of the tick (`_tick.pxd`). A condition is judged at ticks fixed beforehand,
as a Python callable is called, by which anything else can be waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import admit

if TYPE_CHECKING:
    from .observer import Observer

__all__ = ["Above", "Below", "Coherent", "Condition", "Locked", "Settled", "Standing", "coherent", "locked"]


FALL = 0.05
"""How far coherence must fall below a target that was reached for it to be lost."""


@dataclass(frozen=True, slots=True)
class Coherent:
    """Reached when coherence R is at least `level`; made by `coherent`."""

    level: float

    def __str__(self) -> str:
        return f"R ≥ {self.level:g}"


@dataclass(frozen=True, slots=True)
class Locked:
    """Reached when all agents turn equally fast, within `tolerance`; made by `locked`."""

    tolerance: float

    def __str__(self) -> str:
        return f"locked within {self.tolerance:g}"


@dataclass(frozen=True, slots=True)
class Condition:
    """What an observer is to see; made by its methods ``above``, ``below`` and ``settled``."""

    observer: Observer


@dataclass(frozen=True, slots=True)
class Above(Condition):
    """Reached when what is observed is at least `level`; made by ``above`` of an observer."""

    level: float

    def __str__(self) -> str:
        return f"{self.observer.name} ≥ {self.level:g}"


@dataclass(frozen=True, slots=True)
class Below(Condition):
    """Reached when what is observed is at most `level`; made by ``below`` of an observer."""

    level: float

    def __str__(self) -> str:
        return f"{self.observer.name} ≤ {self.level:g}"


@dataclass(frozen=True, slots=True)
class Settled(Condition):
    """Reached when what is observed spans at most `tolerance` in a window; made by ``settled`` of an observer."""

    tolerance: float
    window: float

    def __str__(self) -> str:
        return f"{self.observer.name} settled within {self.tolerance:g} for {self.window:g}"


@dataclass(slots=True)
class Standing:
    """Which coherence a swarm has reached and not lost since: from one run to the next."""

    target: Coherent | None = None

    @property
    def floor(self) -> float:
        """Coherence below which the target is lost; negative if there is none."""
        return -1.0 if self.target is None else self.target.level - FALL

    def lost(self, coherence: float) -> Coherent | None:
        """Return the target if coherence has fallen `FALL` below it; it is told once."""
        if self.target is None or not coherence < self.floor:
            return None
        target, self.target = self.target, None
        return target


def coherent(level: float) -> Coherent:
    """Make the target that is reached when coherence R is at least `level`.

    Parameters
    ----------
    level : float
        Coherence to reach, in (0, 1].

    Returns
    -------
    Coherent
        To be given to `Swarm.run` as `until`.

    Raises
    ------
    InvalidType, InvalidValue
        If `level` is no number in (0, 1].

    Notes
    -----
    Tested before the first and after every tick, at no cost: R is a by-product of a tick.

    Examples
    --------
    >>> import emerge
    >>> print(emerge.coherent(0.95))
    R ≥ 0.95
    """
    return Coherent(admit.real(level, "level", above=0.0, most=1.0))


def locked(tolerance: float = 1e-6) -> Locked:
    """Make the target that is reached when all agents turn equally fast.

    The instantaneous frequency of an agent is its rate of change of phase; the swarm is locked when the
    largest and the smallest lie at most `tolerance` apart.

    Parameters
    ----------
    tolerance : float, default 1e-6
        Spread of instantaneous frequencies, in rad per unit of time, greater than 0.

    Returns
    -------
    Locked
        To be given to `Swarm.run` as `until`.

    Raises
    ------
    InvalidType, InvalidValue
        If `tolerance` is no number greater than 0.

    Notes
    -----
    Tested before the first tick at the rates of the state given, and after every tick at the rates by which
    the tick began to move the agents: this costs a few per cent of a tick and no second evaluation. An agent
    that senses nobody keeps its own frequency, so a swarm with such agents may never lock.

    Examples
    --------
    >>> import emerge
    >>> print(emerge.locked())
    locked within 1e-06
    """
    return Locked(admit.real(tolerance, "tolerance", above=0.0))
