"""Models whose agents fire: each turns by itself until it fires, and its pulse pushes those who hear it.

What a pulse does is in the cellar (`em_pulse.h`), avalanches of them are in `em_avalanche.h` and `em_round.h`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from .errors import InvalidValue
from .model import MODELS, Model, Normalize, Parameter
from .varying import Varying

__all__ = ["Curve", "IntegrateAndFire", "PhaseResponse"]

Curve = Literal["concave", "advance", "sine"]
"""How a phase answers a pulse."""

BEND, BEND_MOST = 3.0, 100.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Pulsed(Model):
    """What models have in common whose agents fire."""

    _pulses: ClassVar[bool] = True

    def _check(self, **bounds: dict[str, float]) -> None:
        """Refuse what all other models can have, and what changes with time."""
        for one in dataclasses.fields(Model):
            if np.any(getattr(self, one.name) != one.default):
                raise InvalidValue(
                    f"agents that fire turn at known rates between pulses, and cannot have {one.name}=:"
                    " use a model without pulses, such as emerge.Kuramoto"
                )
        for name in bounds:
            if isinstance(getattr(self, name), Varying):
                raise InvalidValue(f"{name} of agents that fire cannot vary: assign another model between two runs")
        Model._check(self, **bounds)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IntegrateAndFire(_Pulsed):
    r"""Agents that charge up, fire and begin anew; whoever hears a pulse is pushed towards firing.

    .. math:: \dot x_i = S_i - \gamma_i x_i, \qquad x_i = 1: \quad x_i \to 0, \quad
        x_j \to x_j + \varepsilon_j w_{ji} / n_j \text{ for all } j \text{ that sense } i

    Whoever is pushed to 1 or beyond fires in the same avalanche, once in it, and begins at 0 whatever else it hears in
    it: it is absorbed. Nobody is pushed below 0.

    Parameters
    ----------
    drive : float or array_like of shape (n,)
        S, per unit of time, greater than the leak: agents fire by themselves.
    leak : float or array_like of shape (n,)
        γ, per unit of time, at least 0. The larger, the more concave is the charge as a function of time.
    strength : float or array_like of shape (n,)
        ε, what a pulse adds to whoever hears it, where 1 fires. Negative: pulses hold back.
    normalize : {"weight", "agents", "none"}, default "none"
        What :math:`n_j` is: 1 with "none", so that each pulse counts ε; others as for `Kuramoto`.
    noise, energy : not given
        Agents that fire have neither.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number in its range, a drive does not exceed its leak, or noise or energy is given.

    Notes
    -----
    The phase that a swarm shows is 2π · time since the last firing / free period, and the period is
    ln(S / (S − γ)) / γ (1/S without leak); natural frequencies play no part. Firings come in order of time within a
    tick, at the times at which they happen, whatever dt is: ticks are when nudges, failures and observers have their
    turn. A nudge over 2π wraps without a pulse. Only the schedule "barrier"; a method means nothing here.

    A tick costs O(agents), an avalanche O(edges of those who fire) and, for each of its rounds, O(agents / 512); on
    complete topologies and groups O(agents). The same bits on any number of threads. Memory: 17 bytes an agent and, for
    stored topologies, 16 an agent and 4 an edge end (12 with weights).

    References
    ----------
    R. Mirollo, S. Strogatz, SIAM J. Appl. Math. 50, 1645 (1990), doi:10.1137/0150098. Our departures: any topology and
    weights, and a drive of each agent's own.

    Examples
    --------
    >>> import emerge
    >>> flies = emerge.Swarm(emerge.Topology.complete(20), emerge.IntegrateAndFire(2.0, 1.0, 0.02), seed=1)
    >>> flies.run(20.0, until=emerge.coherent(1 - 1e-12)).reason
    'reached'
    """

    _name = "integrate and fire"
    _own = ("strength", "leak", "drive")
    drive: Parameter
    leak: Parameter
    strength: Parameter
    normalize: Normalize = "none"

    def __post_init__(self) -> None:
        self._check(drive={"above": 0.0}, leak={"least": 0.0}, strength={})
        if np.ndim(self.drive) == np.ndim(self.leak) == 1 and len(self.drive) != len(self.leak):
            raise InvalidValue(f"drive is told of {len(self.drive)} agents, and leak of {len(self.leak)}")
        short = np.flatnonzero(np.asarray(self.drive) <= self.leak)
        if short.size:
            drive, leak = (np.broadcast_to(value, short[0] + 1)[short[0]] for value in (self.drive, self.leak))
            raise InvalidValue(f"drive must be greater than leak, or nobody ever fires: {drive:g} is not, of {leak:g}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhaseResponse(_Pulsed):
    r"""Agents that turn at their natural frequency, fire at 2π, and answer each pulse by a jump of their phase.

    A pulse of charge :math:`c_j = K_j w_{ji} / n_j` takes whoever hears it

    - "concave": from :math:`x = \ln(1 + (e^b - 1)\,\theta / 2\pi)\,/\,b` to x + c (Mirollo and Strogatz);
    - "advance": from :math:`\theta` to :math:`\theta + c\,(1 - \cos\theta)` (type I: pulses only advance);
    - "sine": from :math:`\theta` to :math:`\theta - c \sin\theta` (type II: towards the firing, by the shorter way).

    Whoever gets to 2π fires in the same avalanche, once in it, and begins at 0; nobody is taken back beyond 0. Pulses
    that come in one round of an avalanche are one, of the sum of their charges.

    Parameters
    ----------
    strength : float or array_like of shape (n,)
        K, in rad; with "concave" what is added to x. Finite; negative: pulses delay.
    curve : {"concave", "advance", "sine"}, default "concave"
        How a phase answers a pulse.
    bend : float or array_like of shape (n,), default 3.0
        b of "concave", greater than 0 and at most 100: how concave it is.
    normalize : {"weight", "agents", "none"}, default "none"
        As for `IntegrateAndFire`.
    noise, energy : not given
        As for `IntegrateAndFire`.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number in its range, or noise or energy is given.

    Notes
    -----
    An agent with the frequency 0 fires when it is pushed to 2π, one with a negative frequency turns back, over 0
    without a pulse. Otherwise as `IntegrateAndFire`: exact times, any team, schedule "barrier" alone.

    References
    ----------
    R. Mirollo, S. Strogatz, SIAM J. Appl. Math. 50, 1645 (1990), doi:10.1137/0150098; C. Canavier, S. Achuthan,
    Math. Biosci. 226, 77 (2010), doi:10.1016/j.mbs.2010.05.001.

    Examples
    --------
    >>> import emerge
    >>> law = emerge.PhaseResponse(strength=0.05, curve="advance", normalize="agents")
    >>> flies = emerge.Swarm(emerge.Topology.complete(10), law, frequency=6.0, phase=0.0)
    >>> flies.step(100)
    >>> round(float(flies.phase[0]), 6)  # all alike: 6 rad without a firing
    6.0
    """

    _own = ("strength", "bend")
    strength: Parameter
    curve: Curve = "concave"
    bend: Parameter = BEND
    normalize: Normalize = "none"

    def __post_init__(self) -> None:
        if self.curve not in get_args(Curve):
            raise InvalidValue(f"curve must be one of {', '.join(map(repr, get_args(Curve)))}, not {self.curve!r}")
        self._check(strength={}, bend={"above": 0.0})
        if np.max(self.bend) > BEND_MOST:
            raise InvalidValue(f"bend must be at most {BEND_MOST:g}, not {np.max(self.bend):g}")
        if self.curve != "concave" and not np.array_equal(self.bend, BEND):
            raise InvalidValue(f"bend is for curve='concave', and the curve is {self.curve!r}")

    @property
    def _kind(self) -> str:
        return f"response {self.curve}"


MODELS.update({model.__name__: model for model in (IntegrateAndFire, PhaseResponse)})
