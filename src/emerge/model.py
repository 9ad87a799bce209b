"""Models: how agents answer the field they sense, as frozen values.

A model here is a name, checked parameters and a choice of what divides the field; what it computes is in the
cellar (`em_act.h`). A new model is a new dataclass here and a new function there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from . import admit
from .errors import InvalidValue

__all__ = ["Kuramoto", "Model", "Normalize"]

Normalize = Literal["weight", "agents", "none"]


@dataclass(frozen=True, slots=True)
class Kuramoto:
    r"""Kuramoto's model of coupled phase oscillators, with Sakaguchi's phase lag.

    .. math:: \dot\theta_i = \omega_i + \frac{K}{n_i} \sum_j w_{ij} \sin(\theta_j - \theta_i - \alpha)

    The sum runs over the neighbours that agent i senses.

    Parameters
    ----------
    coupling : float
        K, in rad per unit of time, finite. Positive coupling attracts, negative repels.
    lag : float, default 0.0
        Phase lag :math:`\alpha` in rad, finite. 0 is Kuramoto's own model.
    normalize : {"weight", "agents", "none"}, default "weight"
        What :math:`n_i` is: the sum of \|w\| over the agent's edges (its degree where edges have no weights),
        the number of agents N, or 1. Papers differ and seldom say: mean-field theory (K/N) is ``"agents"``,
        power grids and Laplacians (K for each edge) are ``"none"``. With ``"weight"`` the strength of coupling
        does not depend on degree. An agent that senses nobody turns at its own frequency.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number, or `normalize` is none of the three.

    References
    ----------
    Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence, Springer 1984, doi:10.1007/978-3-642-69689-3;
    H. Sakaguchi and Y. Kuramoto, Prog. Theor. Phys. 76, 576 (1986), doi:10.1143/PTP.76.576, eq. 1, with the
    sign of the lag as there. Our departure: any topology, and the choice of what divides the sum.

    Examples
    --------
    >>> import emerge
    >>> emerge.Kuramoto(coupling=2.0)
    Kuramoto(coupling=2.0, lag=0.0, normalize='weight')
    """

    coupling: float
    lag: float = 0.0
    normalize: Normalize = "weight"

    def __post_init__(self) -> None:
        object.__setattr__(self, "coupling", admit.real(self.coupling, "coupling"))
        object.__setattr__(self, "lag", admit.real(self.lag, "lag"))
        if self.normalize not in get_args(Normalize):
            choices = ", ".join(repr(choice) for choice in get_args(Normalize))
            raise InvalidValue(f"normalize must be one of {choices}, not {self.normalize!r}")

    @property
    def _engine_model(self) -> tuple[str, tuple[float, ...], str]:
        """Name in the cellar, parameters in its order, and what divides the field."""
        return "kuramoto", (self.coupling, self.lag), self.normalize


Model = Kuramoto
"""Any model that a swarm can have."""
