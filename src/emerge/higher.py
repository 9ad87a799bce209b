"""Models whose agents interact by more than two at once: through mean fields, or told one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from .errors import InvalidType, InvalidValue
from .model import MODELS, Model, Normalize, Parameter, parameter
from .triads import rows_of, triples
from .varying import Varying

__all__ = ["HigherOrder", "Simplicial"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HigherOrder(Model):
    r"""Interactions of two, three and four agents at once, through mean fields.

    .. math:: \dot\theta_i = \omega_i + \operatorname{Im}\left[\left(K_i z_i + K^{(2)}_i z_{2,i} \bar z_i
        + K^{(3)}_i |z_i|^2 z_i\right) e^{-\mathrm{i}\theta_i}\right],
        \qquad z_{h,i} = \frac{1}{n_i} \sum_j w_{ij} e^{\mathrm{i} h \theta_j}

    Where all sense all these are the sums of :math:`\sin(\theta_j - \theta_i)`,
    :math:`\sin(2\theta_j - \theta_k - \theta_i)` and :math:`\sin(\theta_j + \theta_k - \theta_l - \theta_i)` over all
    pairs, triads and tetrads; on other topologies those that an agent's neighbours make.

    Parameters
    ----------
    coupling : float, array_like of shape (n,) or Varying
        K of pairs, in rad per unit of time, finite.
    triadic, tetradic : float, array_like of shape (n,) or Varying, default 0.0
        :math:`K^{(2)}` and :math:`K^{(3)}`, in rad per unit of time, finite.
    normalize, noise, energy : as there
        As for `Kuramoto`.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number, or `normalize` is none of the three.

    Notes
    -----
    Costs as much as `Kuramoto` with two harmonics. An agent does not sense itself: a difference of 1 / n to sums over
    all.

    References
    ----------
    P. S. Skardal, A. Arenas, Communications Physics 3, 218 (2020), doi:10.1038/s42005-020-00485-0, eqs. 1 and 2. Our
    departure: any topology.

    Examples
    --------
    >>> import emerge
    >>> both = emerge.HigherOrder(coupling=0.5, triadic=5.0, tetradic=3.0, normalize="agents")
    >>> swarm = emerge.Swarm(emerge.Topology.complete(400), both, phase=0.0, seed=1)
    >>> swarm.run(10.0).coherence > 0.99  # agents alike that began together stay so
    True
    """

    _name = "higher order"
    _own = ("triadic", "tetradic")
    harmonics: ClassVar[tuple[float, ...]] = (1.0, 0.0)
    coupling: Parameter
    triadic: Parameter = 0.0
    tetradic: Parameter = 0.0
    normalize: Normalize = "weight"

    def __post_init__(self) -> None:
        self._check(coupling={}, triadic={}, tetradic={})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Simplicial(Model):
    r"""Kuramoto's model with interactions of three agents at once, told one by one.

    .. math:: \dot\theta_i = \omega_i + \frac{K_i}{n_i} \sum_j w_{ij} \sin(\theta_j-\theta_i-\alpha_i)
        + \frac{K^{(2)}_i}{m_i} \sum_{\{i,j,k\}} s_{ijk} \sin(\theta_j + \theta_k - 2\theta_i)

    The second sum runs over the triads that agent i is in. With ``form="asymmetric"`` its terms are
    :math:`\tfrac12[\sin(2\theta_j - \theta_k - \theta_i) + \sin(2\theta_k - \theta_j - \theta_i)]`.

    Parameters
    ----------
    coupling, lag, noise, energy : as there
        As for `Kuramoto`, of pairs; the topology may have no edges at all.
    triads : array_like of int, shape (m, 3)
        Agents of each triad, from 0 to n - 1, three different ones, in any order.
    triadic : float, array_like of shape (n,) or Varying, default 1.0
        :math:`K^{(2)}`, in rad per unit of time, finite.
    strengths : float or array_like of shape (m,), default 1.0
        :math:`s`, one for all triads or one for each, finite.
    form : {"symmetric", "asymmetric"}, default "symmetric"
        What the triads of an agent pull by.
    normalize : {"weight", "agents", "none"}, default "weight"
        What :math:`n_i` is, as for `Kuramoto`, and :math:`m_i`: the sum of \|s\| over the agent's triads, N², or 1.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number, a triad is no three different agents, or names one that is not there.

    Notes
    -----
    O(edges + triads) for a tick, with any method and schedule; 24 bytes for each triad, 24 more with strengths.
    Deterministic as `Swarm.step` is.

    References
    ----------
    P. S. Skardal, A. Arenas, Phys. Rev. Lett. 122, 248301 (2019), doi:10.1103/PhysRevLett.122.248301, symmetric;
    P. S. Skardal, A. Arenas, Communications Physics 3, 218 (2020), doi:10.1038/s42005-020-00485-0, asymmetric.

    Examples
    --------
    >>> import emerge
    >>> nobody = emerge.Topology.from_edges([], n=4)
    >>> three = emerge.Simplicial(coupling=0.0, triads=[(0, 1, 2), (1, 2, 3)], triadic=1.0)
    >>> swarm = emerge.Swarm(nobody, three, phase=[0.0, 0.4, 0.2, 0.1])
    >>> swarm.run(40.0).coherence > 0.999
    True
    """

    _name = "simplicial"
    _own = ("triadic",)
    harmonics: ClassVar[tuple[float, ...]] = (1.0,)
    coupling: Parameter
    triads: Any
    lag: Parameter = 0.0
    triadic: Parameter = 1.0
    strengths: Any = 1.0
    form: Literal["symmetric", "asymmetric"] = "symmetric"
    normalize: Normalize = "weight"

    def __post_init__(self) -> None:
        object.__setattr__(self, "triads", triples(self.triads))
        strengths = parameter(self.strengths, "strengths")
        if isinstance(strengths, Varying):
            raise InvalidType("strengths must be numbers: what changes with time is triadic=")
        if isinstance(strengths, np.ndarray) and len(strengths) != len(self.triads):
            raise InvalidValue(f"there are {len(self.triads)} triads, but {len(strengths)} strengths")
        object.__setattr__(self, "strengths", strengths)
        if self.form not in ("symmetric", "asymmetric"):
            raise InvalidValue(f"form must be 'symmetric' or 'asymmetric', not {self.form!r}")
        self._check(coupling={}, lag={}, triadic={})

    def _rows_of_triads(self, n: int) -> object:
        return (*rows_of(self.triads, self.strengths, n), self.form == "symmetric")


MODELS.update({model.__name__: model for model in (HigherOrder, Simplicial)})
