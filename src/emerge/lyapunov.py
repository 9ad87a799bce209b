"""The largest Lyapunov exponent, by two copies of a swarm that start side by side."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidType, InvalidValue
from .run import ticks_of

if TYPE_CHECKING:
    from .swarm import Swarm

__all__ = ["lyapunov"]

Floats = npt.NDArray[np.float64]


def lyapunov(
    swarm: Swarm,
    duration: float,
    *,
    dt: float = 0.01,
    interval: float | None = None,
    after: float = 0.0,
    distance: float = 1e-7,
    relative: bool = True,
    seed: int | np.random.Generator = 0,
    **options: Any,
) -> float:
    r"""Return the largest Lyapunov exponent of a swarm: how fast two copies part that start side by side.

    One copy of the swarm starts a small distance :math:`d` from another. After each interval :math:`\tau` the distance
    :math:`d_k` has changed, and the copy is brought back to the distance it started from, in the direction it then has:

    .. math:: \lambda = \frac{1}{m \tau} \sum_{k=1}^{m} \ln \frac{d_k}{d}

    Parameters
    ----------
    swarm : Swarm
        Whose copies run; it stays as it is.
    duration : float
        Time over which the exponent is taken, in units of time: a whole number of intervals.
    dt : float, default 0.01
        Length of a tick, as for `Swarm.step`.
    interval : float, optional
        :math:`\tau`, a whole number of ticks. By default the longest of which `duration` and `after` are whole numbers
        that is at most 1.0 and a hundredth of the duration. The distance must stay small in it.
    after : float, default 0.0
        Time that both run first, brought back in the same way, 0 or a whole number of intervals: for the swarm to
        forget where it started, and for the direction to turn into that of the fastest growth.
    distance : float, default 1e-7
        :math:`d`, the root of the mean square over the agents, in rad, from 1e-12 to 0.01. With inertia, squares of
        differences of velocity, in rad per unit of time, are added to those of phase.
    relative : bool, default True
        Leave out the direction in which all agents turn alike. In models that depend on differences of phase alone its
        exponent is 0, whatever the others are; without it, that of a locked swarm is negative.
    seed : int or numpy.random.Generator, default 0
        Of the direction in which the second copy starts.
    **options : object
        Other arguments of `Swarm.step`, such as ``schedule``.

    Returns
    -------
    float
        In 1 / unit of time: positive for chaos, 0 for free agents, negative for a locked swarm (relative).

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range; or there is one agent, which is relative to nobody; or the copies
        have met, so that nothing is left to measure; or agents fire; or turning costs energy, weights adapt or agents
        sense late, since none of this can be brought back.
    Diverged
        As `Swarm.step`.

    Notes
    -----
    Twice the cost of as many ticks, O(agents) more for each interval. Deterministic as `Swarm.step` is. It is the
    exponent of the map that a tick is: for a locked swarm ln(1 - dt K λ₂) / dt instead of -K λ₂ with Euler's method.
    It converges as 1 / duration. Noise, if there is any, is the same for both copies.

    References
    ----------
    G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn, Meccanica 15, 9 (1980), doi:10.1007/BF02128236.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.complete(8), emerge.Kuramoto(coupling=1.0), phase=0.0)
    >>> print(round(observe.lyapunov(swarm, 10.0, after=10.0), 2))  # -K n / (n - 1)
    -1.15
    """
    from .swarm import Swarm

    if not isinstance(swarm, Swarm):
        raise InvalidType(f"swarm must be an emerge.Swarm, not {swarm!r}")
    dt = admit.real(dt, "dt", above=0.0)
    whole, transient = ticks_of(duration, dt), ticks_of(after, dt, "after") if after else 0
    ticks = _usual(whole, transient, dt) if interval is None else ticks_of(interval, dt, "interval")
    for span, name in ((whole, "duration"), (transient, "after")):
        if span % ticks:
            raise InvalidValue(f"{name} must be a whole number of intervals of {ticks * dt:g}, not {span * dt:g}")
    apart = admit.real(distance, "distance", least=1e-12, most=0.01)
    if swarm._past is not None:
        raise InvalidValue("a copy that senses late cannot be brought back beside the other: its past would stay apart")
    if swarm.model.energy is not None:
        raise InvalidValue("a copy's energy cannot be brought back beside the other's: use a model without energy=")
    if swarm.model._pulses:
        raise InvalidValue("avalanches make two copies jump apart or meet: use a model without pulses")
    if swarm.adapt is not None:
        raise InvalidValue(
            "a copy's weights that adapt cannot be brought back beside the other's: make the swarm without"
        )
    inertial = swarm.model._inertial
    direction = admit.generator(seed).standard_normal((1 + inertial, len(swarm)))
    if relative and len(swarm) == 1:
        raise InvalidValue("one agent turns relative to nobody: give relative=False")
    pair = _Pair(swarm, apart, relative=relative)
    pair.begin(direction)
    for _ in range(transient // ticks):
        pair.growth(ticks, dt, options)
    return math.fsum(pair.growth(ticks, dt, options) for _ in range(whole // ticks)) / (whole * dt)


class _Pair:
    """Two copies of a swarm, the second brought back to its distance from the first after every interval."""

    def __init__(self, swarm: Swarm, distance: float, *, relative: bool) -> None:
        self._one, self._other = copy.copy(swarm), copy.copy(swarm)
        self._distance = distance
        self._relative = relative

    def begin(self, direction: Floats) -> None:
        """Start side by side."""
        self._one.phase = self._one.phase  # so that nudges that wait are in both
        self._part(direction)

    def growth(self, ticks: int, dt: float, options: dict[str, Any]) -> float:
        """Run for an interval and bring the second back; returns the logarithm of how much the distance grew."""
        self._one.step(ticks, dt=dt, **options)
        self._other.step(ticks, dt=dt, **options)
        ahead = [np.mod(self._other.phase - self._one.phase + np.pi, 2 * np.pi) - np.pi]
        if self._one.model._inertial:
            ahead.append(self._other.velocity - self._one.velocity)
        return math.log(self._part(np.array(ahead)) / self._distance)

    def _part(self, ahead: Floats) -> float:
        """Put the second where it is ahead in a direction by the distance; returns how far ahead it was."""
        if self._relative:
            ahead[0] -= ahead[0].mean()
        size = math.sqrt(float(np.sum(ahead**2)) / ahead.shape[1])
        if size == 0.0:
            raise InvalidValue("both copies have met within an interval: choose a shorter one, or a larger distance")
        ahead *= self._distance / size
        self._other.phase = self._one.phase + ahead[0]
        if len(ahead) > 1:
            self._other.velocity = self._one.velocity + ahead[1]
        return size


def _usual(whole: int, transient: int, dt: float) -> int:
    """Return the ticks of an interval that suits most swarms, of which both spans are whole numbers."""
    both = math.gcd(whole, transient)
    most = max(1, min(round(1.0 / dt), whole // 100))
    return next(ticks for ticks in range(most, 0, -1) if both % ticks == 0)
