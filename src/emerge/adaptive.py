"""Weights that adapt: laws by which the weights of edges change with the phases of their agents, as frozen values.

What a law computes is in the cellar (`em_plastic.h`); here is what it is called, and what it can be served by.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import _engine, admit
from .errors import InvalidType, InvalidValue
from .higher import Simplicial
from .model import Model
from .topology import Topology

__all__ = [
    "Adaptation",
    "AntiHebbian",
    "Hebbian",
    "check_model",
    "check_topology",
    "check_way",
    "facts",
    "law_of",
    "saved",
    "strengths_of",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """What laws of weights have in common; use `Hebbian` or `AntiHebbian`."""

    _sign: ClassVar[float]
    rate: float
    strength: float = 1.0
    shift: float = 0.0
    decay: float = 1.0
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name, least in (("rate", 0.0), ("strength", None), ("shift", None), ("decay", 0.0)):
            object.__setattr__(self, name, admit.real(getattr(self, name), name, least=least))
        if self.bounds is not None:
            object.__setattr__(self, "bounds", _bounds(self.bounds))

    def _told(self) -> tuple[float, float, float, float, float]:
        """Return the law as the engine takes it."""
        pull = self._sign * self.rate * self.strength
        least, most = (-math.inf, math.inf) if self.bounds is None else self.bounds
        return pull * math.cos(self.shift), pull * math.sin(self.shift), self.rate * self.decay, least, most


@dataclass(frozen=True, slots=True, kw_only=True)
class Hebbian(Adaptation):
    r"""Weights that grow between agents in phase: who fires together wires together.

    .. math:: \dot k_{ij} = r\,(a \cos(\theta_j - \theta_i + \beta) - d\,k_{ij})

    :math:`k_{ij}` is the weight with which agent i senses agent j; the topology says which there are, and stays.

    Parameters
    ----------
    rate : float
        r, in 1 / unit of time, at least 0. With 0 weights stay what they are.
    strength : float, default 1.0
        a, finite: with decay 1, the weight of two agents that stay in phase.
    shift : float, default 0.0
        :math:`\beta`, in rad, finite.
    decay : float, default 1.0
        d, at least 0. Without decay weights grow for ever, or to their bounds.
    bounds : (float, float), optional
        Least and most that a weight can be. One that would pass a bound stays there. By default none.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no number in its range.

    Notes
    -----
    Weights are state of the swarm: see `Swarm.strengths`. They are integrated with the phases, by the same method, in
    the same stages, where bounds hold too. What divides the sum of an agent stays that of the topology. An agent that
    has failed is in phase with nobody, so that its weights, and those of others for it, only decay. The same bits on
    any number of threads and any instruction set. O(edges) for each stage, in the pass that senses.

    References
    ----------
    P. Seliger, S. C. Young, L. S. Tsimring, Phys. Rev. E 65, 041906 (2002), doi:10.1103/PhysRevE.65.041906, is
    ``Hebbian(rate=ε, strength=α)``. R. Berner, E. Schöll, S. Yanchuk, SIAM J. Appl. Dyn. Syst. 18, 2227 (2019),
    doi:10.1137/18M1210150, :math:`\dot\kappa_{ij} = -\epsilon(\kappa_{ij} + \sin(\theta_i - \theta_j + \beta))`, is
    ``Hebbian(rate=ε, shift=-β - π/2)``. T. Aoki, T. Aoyagi, Phys. Rev. Lett. 102, 034101 (2009),
    doi:10.1103/PhysRevLett.102.034101, is the same with ``decay=0`` and ``bounds=(-1, 1)``.

    Examples
    --------
    >>> import emerge
    >>> web = emerge.Topology.from_edges([(0, 1), (1, 2)])
    >>> law = emerge.Hebbian(rate=1.0, strength=2.0)
    >>> swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), phase=[0.0, 0.0, 0.0], adapt=law)
    >>> swarm.step(2_000)
    >>> swarm.strengths.round(6).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    _sign = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AntiHebbian(Adaptation):
    r"""Weights that grow between agents out of phase.

    .. math:: \dot k_{ij} = r\,(-a \cos(\theta_j - \theta_i + \beta) - d\,k_{ij})

    Parameters
    ----------
    rate, strength, shift, decay, bounds : as there
        As for `Hebbian`.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no number in its range.

    Notes
    -----
    As `Hebbian`, with the opposite sign of `strength`.

    References
    ----------
    As of `Hebbian`; in Berner's form the anti-Hebbian rule is :math:`\beta = \pi/2`.

    Examples
    --------
    >>> import emerge
    >>> pair = emerge.Topology.from_edges([(0, 1)])
    >>> law = emerge.AntiHebbian(rate=1.0)
    >>> swarm = emerge.Swarm(pair, emerge.Kuramoto(coupling=0.0), phase=[0.0, 3.141592653589793], adapt=law)
    >>> swarm.strengths = 0.0
    >>> swarm.step(2_000)
    >>> swarm.strengths.round(6).tolist()
    [1.0, 1.0]
    """

    _sign = -1.0


LAWS: dict[str, type[Adaptation]] = {law.__name__: law for law in (Hebbian, AntiHebbian)}
"""Laws by the name that saved swarms call them."""


def law_of(value: object) -> Adaptation:
    """Return a law, or say that it is none."""
    if not isinstance(value, Adaptation):
        raise InvalidType(f"adapt must be a law such as emerge.Hebbian(rate=0.1), not {value!r}; rate=0 holds weights")
    return value


def check_topology(topology: Topology) -> None:
    """Refuse a topology that has no edges of its own to carry weights."""
    if topology.kind != "stored":
        raise InvalidValue(
            f"weights that adapt need stored edges, and this topology ({topology.kind}) is told by a rule: store it by"
            " emerge.Topology.from_edges(topology.edges, n=len(topology))"
        )


def check_model(law: Adaptation | None, model: Model) -> None:
    """Refuse a model that senses more than edges, or no phases."""
    if law is None:
        return
    if isinstance(model, Simplicial):
        raise InvalidValue("weights that adapt do not go with Simplicial, whose triads have strengths of their own")
    if model._pulses:
        raise InvalidValue(
            f"weights that adapt do not go with {type(model).__name__}, whose agents push each other by pulses"
        )


def check_way(law: Adaptation | None, method: str, schedule: str) -> None:
    """Refuse a method or a schedule that weights cannot be served by."""
    if law is None:
        return
    if schedule != "barrier":
        raise InvalidValue(
            f"schedule={schedule!r} cannot serve weights that adapt, which all agents change together: use"
            " schedule='barrier'"
        )
    served = _engine.methods_of_weights()
    if method not in served:
        raise InvalidValue(
            f"method={method!r} cannot serve weights that adapt: use one of {', '.join(map(repr, served))}"
        )


def strengths_of(value: object, law: Adaptation, topology: Topology) -> Floats:
    """Return one weight for each edge end of a topology, within the bounds; None stands for those that it has."""
    name = "strengths"
    if value is None:
        weights = topology._rows()[2]
        name, value = "weights of the topology", 1.0 if weights is None else weights
    found = admit.finite(admit.column(value, "strengths", topology.edge_ends, "edge end"), "strengths")
    if law.bounds is not None:
        least, most = law.bounds
        outside = (found < least) | (found > most)
        if outside.any():
            k = int(outside.argmax())
            raise InvalidValue(
                f"{name} must be within the bounds {least:g} and {most:g}, but that of edge end {k} is {found[k]:g}"
            )
    return found


def facts(law: Adaptation) -> dict[str, Any]:
    """Return what a file keeps of a law."""
    return {"law": type(law).__name__, **dataclasses.asdict(law)}


def saved(facts: dict[str, Any]) -> Adaptation:
    """Make a law again from what a file kept of it."""
    parameters = dict(facts)
    return LAWS[parameters.pop("law")](**parameters)


def _bounds(value: object) -> tuple[float, float]:
    """Return two bounds of a weight, of which either may be infinite."""
    given = admit.numbers(value, "bounds")
    if given.shape != (2,) or not given[0] < given[1]:
        raise InvalidValue(f"bounds must be two numbers, the least and the most that a weight can be, not {value!r}")
    return float(given[0]), float(given[1])
