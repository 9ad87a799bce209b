"""Measures of order of phases at one moment, or at each of several moments.

Each takes phases of shape (n,) or (times, n), and leaves agents that have failed out, as R does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue
from .links import Links
from .phasor import MOMENT_MAX, TURN, Groups, angles, living_of, phasors
from .topology import Topology

__all__ = ["group_order", "link_order", "local_order", "order_parameter", "splay", "winding_number"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Bools = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]


def order_parameter(
    phase: npt.ArrayLike,
    moment: int = 1,
    *,
    weights: npt.ArrayLike | None = None,
    failed: npt.ArrayLike | None = None,
) -> Any:
    r"""Return the order parameter of phases, or a higher moment of them.

    .. math:: Z_m = \frac{\sum_j k_j e^{i m \theta_j}}{\sum_j k_j}

    The length of :math:`Z_1` is the coherence R, its angle the mean phase. :math:`|Z_2|` is also 1 for two groups half
    a turn apart, and :math:`|Z_m|` for m groups that are spread evenly.

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite.
    moment : int, default 1
        m, from 1 to 100 000.
    weights : array_like of shape (n,), optional
        :math:`k_j`, at least 0 and not all 0; by default all 1. With ``topology.degree`` it is Ichinomiya's order
        parameter of a network.
    failed : array_like of int, optional
        Agents to leave out, such as ``swarm.failed``.

    Returns
    -------
    complex, or ndarray of complex128, shape (times,)
        0 if nobody is left.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.

    Notes
    -----
    O(n) for each moment in time. Bitwise deterministic. Of n random phases the mean of R is
    :math:`\sqrt{\pi / 4n}`.

    References
    ----------
    Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence, Springer 1984, doi:10.1007/978-3-642-69689-3;
    H. Daido, Prog. Theor. Phys. 88, 1213 (1992), doi:10.1143/ptp/88.6.1213 (moments); T. Ichinomiya, Phys. Rev. E 70,
    026116 (2004), doi:10.1103/PhysRevE.70.026116 (weights).

    Examples
    --------
    >>> import numpy as np
    >>> from emerge import observe
    >>> poles = [0.0, np.pi, 0.0, np.pi]
    >>> print(f"{abs(observe.order_parameter(poles)):.3f} {abs(observe.order_parameter(poles, 2)):.3f}")
    0.000 1.000
    """
    given = angles(phase)
    n = given.shape[-1]
    living = living_of(failed, n)
    vectors = phasors(given, admit.count(moment, "moment", most=MOMENT_MAX), living)
    if weights is None:
        return _plain(_mean(vectors.sum(axis=-1), n if living is None else int(living.sum())))
    strength = weights_of(weights, n)
    if living is not None:
        strength = np.where(living, strength, 0.0)
    return _plain(_mean((vectors * strength).sum(axis=-1), strength.sum()))


def group_order(phase: npt.ArrayLike, groups: npt.ArrayLike, *, failed: npt.ArrayLike | None = None) -> Complexes:
    """Return the order parameter of each group of agents.

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite.
    groups : array_like of int, shape (n,)
        Group of each agent, numbered from 0 on without gaps.
    failed : array_like of int, optional
        Agents to leave out, such as ``swarm.failed``.

    Returns
    -------
    ndarray of complex128, shape (groups,) or (times, groups)
        Mean of exp(iθ) over each group; its length is the group's R. 0 for a group of which nobody is left.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.

    Notes
    -----
    O(n) for each moment in time. Bitwise deterministic.

    References
    ----------
    D. Abrams, R. Mirollo, S. Strogatz, D. Wiley, Phys. Rev. Lett. 101, 084103 (2008),
    doi:10.1103/PhysRevLett.101.084103.

    Examples
    --------
    >>> from emerge import observe
    >>> print(abs(observe.group_order([0.0, 0.0, 1.0, 1.0 + 3.141592653589793], [0, 0, 1, 1])).round(3))
    [1. 0.]
    """
    given = angles(phase)
    return order_of_groups(given, groups_of(groups, given.shape[-1]), living_of(failed, given.shape[-1]))


def local_order(phase: npt.ArrayLike, topology: Topology, *, failed: npt.ArrayLike | None = None) -> Floats:
    r"""Return the local order of each agent: how coherent its neighbours are.

    .. math:: r_i = \frac{|\sum_j w_{ij} e^{i \theta_j}|}{\sum_j |w_{ij}|}

    The sums run over the neighbours that agent i senses, itself not among them.

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite.
    topology : Topology
        Who senses whom.
    failed : array_like of int, optional
        Agents to leave out of their neighbours' sums, such as ``swarm.failed``; their own local order is 0.

    Returns
    -------
    ndarray of float64, shape (n,) or (times, n)
        In [0, 1]; 0 for an agent that senses nobody.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.
    TooLarge
        If a lattice has too many edges to be written out.

    Notes
    -----
    O(agents + edges) for each moment in time, O(agents) on complete topologies and groups; 4 bytes an edge end (12 with
    weights) while it is computed.

    References
    ----------
    J. Restrepo, E. Ott, B. Hunt, Phys. Rev. E 71, 036151 (2005), doi:10.1103/PhysRevE.71.036151. Our departure:
    divided by the strength of the agent, and no mean over time.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> pair_and_one = emerge.Topology.from_edges([(0, 1), (0, 2)], 4)
    >>> print(observe.local_order([0.0, 1.0, 1.0 + 3.141592653589793, 2.0], pair_and_one).round(3))
    [0. 1. 1. 0.]
    """
    order: Floats = _along_links(phase, topology, failed, local_order_of)
    return order


def link_order(phase: npt.ArrayLike, topology: Topology, *, failed: npt.ArrayLike | None = None) -> Any:
    r"""Return how well the agents at the two ends of links agree: the mean cosine of their difference.

    .. math:: r = \frac{\sum_{ij} w_{ij} \cos(\theta_j - \theta_i)}{\sum_{ij} |w_{ij}|}

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite.
    topology : Topology
        Who senses whom.
    failed : array_like of int, optional
        Agents whose links are left out, such as ``swarm.failed``.

    Returns
    -------
    float, or ndarray of float64, shape (times,)
        In [-1, 1]; 1 if all agents at the ends of links are in phase (half a turn apart where the weight is negative).
        0 if there are no links.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.
    TooLarge
        If a lattice has too many edges to be written out.

    Notes
    -----
    O(agents + edges) for each moment in time, O(agents) on complete topologies and groups; 4 bytes an edge end (12 with
    weights) while it is computed. Its mean over time is the universal order parameter of the source.

    References
    ----------
    M. Schröder, M. Timme, D. Witthaut, Chaos 27, 073119 (2017), doi:10.1063/1.4995963.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> observe.link_order([0.0, 0.0, 3.141592653589793], emerge.Topology.from_edges([(0, 1), (1, 2)]))
    0.0
    """
    return _plain(_along_links(phase, topology, failed, link_order_of))


def winding_number(phase: npt.ArrayLike) -> Any:
    r"""Return how many turns the phase makes along a ring of agents.

    .. math:: q = \frac{1}{2\pi} \sum_i \Delta(\theta_{i+1}, \theta_i)

    where the difference is the shortest way around the circle and agent 0 follows the last. In a q-twisted state the
    phase grows evenly along the ring.

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite, of agents in their order along the ring.

    Returns
    -------
    int, or ndarray of int64, shape (times,)
        Positive if the phase grows with the number of the agent; at most n / 2 in size.

    Raises
    ------
    InvalidType, InvalidValue
        If the phases are of the wrong type or shape.

    Notes
    -----
    O(n) for each moment in time. Says something where neighbours are less than half a turn apart.

    References
    ----------
    D. Wiley, S. Strogatz, M. Girvan, Chaos 16, 015103 (2006), doi:10.1063/1.2165594.

    Examples
    --------
    >>> import numpy as np
    >>> from emerge import observe
    >>> observe.winding_number(3 * 2 * np.pi * np.arange(100) / 100)
    3
    """
    given = angles(phase)
    ahead = np.mod(np.roll(given, -1, axis=-1) - given + np.pi, TURN) - np.pi
    turns: Values = np.rint(ahead.sum(axis=-1) / TURN).astype(np.int64)
    return _plain(turns)


def splay(phase: npt.ArrayLike, *, failed: npt.ArrayLike | None = None) -> Any:
    r"""Return how evenly phases are spread over the circle, by the gaps between them.

    .. math:: s = 1 - \frac{\sum_k |g_k - 2\pi/n|}{4\pi (1 - 1/n)}

    where :math:`g_k` are the gaps from each phase to the next one around the circle.

    Parameters
    ----------
    phase : array_like of shape (n,) or (times, n)
        Phases in rad, finite.
    failed : array_like of int, optional
        Agents to leave out, such as ``swarm.failed``.

    Returns
    -------
    float, or ndarray of float64, shape (times,)
        In [0, 1]: 1 in the splay state (all gaps equal, whoever is where), 0 if all phases are the same, and near
        1 - 1/e = 0.632 for many random phases. 1 if at most one agent is left.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, length or range.

    Notes
    -----
    O(n log n) for each moment in time. The splay state is where all moments :math:`Z_1` to :math:`Z_{n-1}` of
    `order_parameter` vanish; a small R alone is not enough, two groups half a turn apart have it too.

    References
    ----------
    J. S. Rao, Sankhyā B 38, 329 (1976): the statistic of spacings U, here as 1 - U / U_max; S. Strogatz and R. Mirollo,
    Phys. Rev. E 47, 220 (1993), doi:10.1103/PhysRevE.47.220 (splay states).

    Examples
    --------
    >>> import numpy as np
    >>> from emerge import observe
    >>> splayed = 2 * np.pi * np.arange(5) / 5
    >>> print(f"{observe.splay(splayed):.3f} {observe.splay(np.zeros(5)):.3f} {observe.splay([0.0, np.pi] * 5):.3f}")
    1.000 0.000 0.111
    """
    given = angles(phase)
    living = living_of(failed, given.shape[-1])
    left = np.sort(np.mod(given if living is None else given[..., living], TURN), axis=-1)
    n = left.shape[-1]
    if n <= 1:
        return _plain(np.ones(given.shape[:-1]))
    gaps = np.diff(left, axis=-1, append=left[..., :1] + TURN)
    uneven = np.abs(gaps - TURN / n).sum(axis=-1) / (2 * TURN * (1 - 1 / n))
    return _plain(1.0 - np.minimum(uneven, 1.0))


def weights_of(value: object, n: int) -> Floats:
    """Return the weights of agents, at least 0 and not all 0."""
    strength = admit.vector(value, "weights", n)
    if (strength < 0).any() or not strength.any():
        raise InvalidValue("weights must be at least 0, and not all of them 0")
    return strength


def groups_of(value: object, n: int) -> Groups:
    """Return the groups of n agents."""
    found = value if isinstance(value, Groups) else Groups.of(value)
    if found.label.size != n:
        raise InvalidValue(f"groups must be {n} numbers, one for each agent, not {found.label.size}")
    return found


def order_of_groups(phase: Floats, groups: Groups, living: Bools | None) -> Complexes:
    """Do as `group_order` for what has been checked."""
    vectors = phasors(phase, 1, living)
    here = np.ones(groups.label.size) if living is None else living.astype(np.float64)
    mean: Complexes = groups.sums(vectors) / np.maximum(groups.sums(here), 1.0)
    return mean


def local_order_of(vectors: Complexes, here: Floats, links: Links) -> Floats:
    """Return the local order of phasors of one moment; `here` is 0 for who has failed."""
    strength = links.strengths(here) * here
    order: Floats = np.abs(links.sums(vectors)) / np.where(strength > 0, strength, np.inf)
    return order


def link_order_of(vectors: Complexes, here: Floats, links: Links) -> Any:
    """Return the mean cosine over links of phasors of one moment."""
    return _mean((vectors.conj() * links.sums(vectors)).real.sum(), (links.strengths(here) * here).sum())


def _along_links(
    phase: object, topology: Topology, failed: object, measure: Callable[[Complexes, Floats, Links], Any]
) -> Any:
    """Return a measure that needs neighbours, of one moment or of each of several."""
    given = angles(phase)
    n = given.shape[-1]
    links, living = Links(topology, n), living_of(failed, n)
    here = np.ones(n) if living is None else living.astype(np.float64)
    if given.ndim == 1:
        return measure(phasors(given, 1, living), here, links)
    return np.array([measure(phasors(one, 1, living), here, links) for one in given])


def _mean(total: Any, number: float) -> Any:
    return total / number if number > 0 else total * 0.0


def _plain(value: Any) -> Any:
    """Return one number as Python's own."""
    return value.item() if np.ndim(value) == 0 else value
