"""What a run may wait for: targets that the engine tests after every tick.

A target is a value; the test itself is part of the tick (`_tick.pxd`). Anything else can be waited for with a
Python callable, which `Swarm.run` calls at ticks fixed beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import admit

__all__ = ["Coherent", "Locked", "Standing", "coherent", "locked"]


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
