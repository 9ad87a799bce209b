"""Measures of what was recorded over time: locking, metastability, frequencies, and when a value has settled."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue
from .links import ends_of
from .phasor import phasors, series_of
from .topology import Topology

__all__ = [
    "Settling",
    "chimera_index",
    "displacement",
    "effective_frequency",
    "frequency_clusters",
    "link_coherence",
    "metastability",
    "phase_locking",
    "plateau",
    "size_of",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]

SLACK = 1e-9
"""How much of a window may be missing for rounding."""


def phase_locking(phase: npt.ArrayLike, agents: npt.ArrayLike | None = None) -> Floats:
    r"""Return the phase-locking value of each pair of agents.

    .. math:: P_{ab} = \left| \langle e^{i(\theta_a - \theta_b)} \rangle_t \right|

    Parameters
    ----------
    phase : array_like of shape (times, n)
        Phases in rad, finite, at several moments.
    agents : array_like of int, shape (k,), optional
        Whom to compare; by default all.

    Returns
    -------
    ndarray of float64, shape (k, k)
        Symmetric, in [0, 1]; 1 where the difference of phases was always the same.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    O(times · k²), 16 k² bytes. Bitwise deterministic.

    References
    ----------
    J.-P. Lachaux, E. Rodriguez, J. Martinerie, F. Varela, Hum. Brain Mapp. 8, 194 (1999),
    doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C. Our departure: a mean over time, not over trials.

    Examples
    --------
    >>> import numpy as np
    >>> from emerge import observe
    >>> times = 2 * np.pi * np.arange(12)[:, None] / 12
    >>> print(observe.phase_locking(times * [1, 1, 2] + [0.0, 0.5, 0.0]).round(3))
    [[1. 1. 0.]
     [1. 1. 0.]
     [0. 0. 1.]]
    """
    given = series_of(phase, "phase", "n")
    chosen = slice(None) if agents is None else admit.agents(agents, given.shape[1])
    vectors = phasors(np.ascontiguousarray(given[:, chosen]))
    return np.abs(vectors.T @ vectors.conj()) / len(vectors)


def link_coherence(phase: npt.ArrayLike, topology: Topology) -> float:
    r"""Return the fraction of links that are synchronised: the mean phase-locking value of the links.

    .. math:: r_{link} = \frac{1}{E} \sum_{(i,j)} \left| \langle e^{i(\theta_i - \theta_j)} \rangle_t \right|

    Parameters
    ----------
    phase : array_like of shape (times, n)
        Phases in rad, finite, at several moments.
    topology : Topology
        Whose links; weights do not count.

    Returns
    -------
    float
        In [0, 1]; 0 if there are no links.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, shape or length.
    TooLarge
        If the topology has too many edges to be written out.

    Notes
    -----
    O(times · edges); 32 bytes an edge. Bitwise deterministic.

    References
    ----------
    J. Gómez-Gardeñes, Y. Moreno, A. Arenas, Phys. Rev. Lett. 98, 034101 (2007), doi:10.1103/PhysRevLett.98.034101.

    Examples
    --------
    >>> import emerge, numpy as np
    >>> from emerge import observe
    >>> times = 2 * np.pi * np.arange(12)[:, None] / 12
    >>> path = emerge.Topology.from_edges([(0, 1), (1, 2)])
    >>> print(f"{observe.link_coherence(times * [1, 1, 2], path):.3f}")
    0.500
    """
    given = series_of(phase, "phase", "n")
    ends = ends_of(topology, given.shape[1])
    total = np.zeros(len(ends[0]), np.complex128)
    for one in given:
        add_links(total, phasors(one), ends)
    return mean_length(total, len(given))


def metastability(order: npt.ArrayLike) -> float:
    r"""Return the metastability of groups: how much the coherence of a group varies in time.

    The mean over the groups of the variance over time of :math:`R_g(t)`.

    Parameters
    ----------
    order : array_like of shape (times, groups)
        R of each group, or the complex order parameters of `group_order`, at two moments at least.

    Returns
    -------
    float
        At least 0; 0 if no group's R ever changes.

    Raises
    ------
    InvalidType, InvalidValue
        If the order is of the wrong type or shape.

    Notes
    -----
    O(times · groups). Variances are divided by times - 1, as in the source.

    References
    ----------
    M. Shanahan, Chaos 20, 013108 (2010), doi:10.1063/1.3305451.

    Examples
    --------
    >>> from emerge import observe
    >>> print(observe.metastability([[1.0, 0.5], [0.0, 0.5]]))
    0.25
    """
    return float(np.var(_coherences(order, times=2), axis=0, ddof=1).mean())


def chimera_index(order: npt.ArrayLike) -> float:
    r"""Return the chimera index of groups: how differently coherent groups are at a time.

    The mean over time of the variance over the groups of :math:`R_g(t)`.

    Parameters
    ----------
    order : array_like of shape (times, groups)
        R of each group, or the complex order parameters of `group_order`, of two groups at least.

    Returns
    -------
    float
        At least 0; 0 if all groups are equally coherent at each time.

    Raises
    ------
    InvalidType, InvalidValue
        If the order is of the wrong type or shape.

    Notes
    -----
    O(times · groups). Variances are divided by groups - 1, as in the source.

    References
    ----------
    M. Shanahan, Chaos 20, 013108 (2010), doi:10.1063/1.3305451.

    Examples
    --------
    >>> from emerge import observe
    >>> print(observe.chimera_index([[1.0, 0.0], [0.5, 0.5]]))
    0.25
    """
    return float(np.var(_coherences(order, groups=2), axis=1, ddof=1).mean())


def displacement(phase: npt.ArrayLike) -> Floats:
    """Return how far agents turned since the first moment, from phases that were recorded.

    Parameters
    ----------
    phase : array_like of shape (times, n)
        Phases in rad, finite, recorded so often that no agent turned by half a turn in between.

    Returns
    -------
    ndarray of float64, shape (times, n)
        In rad, 0 at the first moment.

    Raises
    ------
    InvalidType, InvalidValue
        If the phases are of the wrong type or shape.

    Notes
    -----
    O(times · n). Each change of phase is taken for the shortest way around the circle. A swarm that tracks counts how
    far agents turn itself, whatever the interval: `Swarm.displacement`.

    Examples
    --------
    >>> from emerge import observe
    >>> observe.displacement([[6.0], [0.0], [1.0]]).ravel().round(3).tolist()
    [0.0, 0.283, 1.283]
    """
    given = np.unwrap(series_of(phase, "phase", "n"), axis=0)
    turned: Floats = given - given[0]
    return turned


def effective_frequency(time: npt.ArrayLike, displacement: npt.ArrayLike) -> Floats:
    """Return the effective frequency of agents: how far they turned, by the time that it took.

    Parameters
    ----------
    time : array_like of shape (times,)
        Ascending, two moments at least.
    displacement : array_like of shape (times, n)
        How far agents have turned at these times, in rad.

    Returns
    -------
    ndarray of float64, shape (n,)
        In rad per unit of time, over the whole span.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, shape or order.

    Notes
    -----
    O(n): only the first and the last moment count. A mean over a span T is within 2π / T of what oscillates in it.

    Examples
    --------
    >>> from emerge import observe
    >>> observe.effective_frequency([0.0, 10.0], [[1.0, 1.0], [1.5, 21.0]]).tolist()
    [0.05, 2.0]
    """
    turned = series_of(displacement, "displacement", "n")
    times = _times(time, len(turned), least=2)
    frequency: Floats = (turned[-1] - turned[0]) / (times[-1] - times[0])
    return frequency


def frequency_clusters(frequency: npt.ArrayLike, tolerance: float) -> Ints:
    """Return the clusters of agents that turn equally fast.

    In the order of their frequencies, two agents that follow one another are in one cluster if they lie at most
    `tolerance` apart.

    Parameters
    ----------
    frequency : array_like of shape (n,)
        Effective frequencies, finite.
    tolerance : float
        At least 0, in units of the frequency.

    Returns
    -------
    ndarray of int64, shape (n,)
        Cluster of each agent, numbered from 0 on by frequency, ascending.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    O(n log n). A cluster can be wider than `tolerance`: choose one below the gaps between clusters, and above 2π / T
    for frequencies over a span T.

    Examples
    --------
    >>> from emerge import observe
    >>> observe.frequency_clusters([1.0, 0.2, 1.001, 0.2], 0.01).tolist()
    [1, 0, 1, 0]
    """
    given = admit.finite(admit.column(frequency, "frequency", np.size(frequency), "agent"), "frequency")
    apart = admit.real(tolerance, "tolerance", least=0.0)
    order = np.argsort(given, kind="stable")
    cluster = np.zeros(given.size, np.int64)
    cluster[order[1:]] = np.cumsum(np.diff(given[order]) > apart)
    return cluster


def plateau(time: npt.ArrayLike, value: npt.ArrayLike, *, tolerance: float, window: float) -> float | None:
    """Return when a value has settled: all that lies within a window of time spans at most a tolerance.

    Parameters
    ----------
    time : array_like of shape (times,)
        Ascending.
    value : array_like of shape (times, ...)
        What was recorded; of complex numbers the length counts, of several numbers each must have settled.
    tolerance : float
        How far the least and the largest value in the window may lie apart, at least 0.
    window : float
        Length of the window in units of time, greater than 0.

    Returns
    -------
    float or None
        The first time at which the window that ends there is covered and the value has settled; None if there is none.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type, shape or range.

    Notes
    -----
    O(times · values in a window). While a swarm runs, ``observer.settled(tolerance, window)`` given as ``until`` judges
    the same.

    Examples
    --------
    >>> from emerge import observe
    >>> observe.plateau([0, 1, 2, 3, 4], [0.0, 0.5, 0.9, 0.91, 0.92], tolerance=0.05, window=2)
    4.0
    """
    values = size_of(value)
    if values.dtype.kind not in "fiu" or values.ndim == 0:
        raise InvalidValue(f"value must be numbers, one or several for each time, not {value!r}")
    times = _times(time, len(values), least=1)
    settling = Settling(admit.real(tolerance, "tolerance", least=0.0), admit.real(window, "window", above=0.0))
    for now, one in zip(times.tolist(), values, strict=True):
        if settling.reached(now, one):
            return float(now)
    return None


class Settling:
    """Whether a value has settled: told one time and value after the other."""

    def __init__(self, tolerance: float, window: float) -> None:
        self._tolerance = tolerance
        self._window = window
        self._seen: deque[tuple[float, Any]] = deque()

    def reached(self, time: float, value: Any) -> bool:
        """Add a value, and say whether all within the window that ends now lie close enough."""
        seen, begin = self._seen, time - self._window * (1 - SLACK)
        seen.append((time, value))
        while len(seen) > 1 and seen[1][0] <= begin:
            seen.popleft()
        if seen[0][0] > begin:
            return False
        values = np.array([one for _, one in seen])
        return bool((np.ptp(values, axis=0) <= self._tolerance).all())


def size_of(value: Any) -> Values:
    """Return what of a value is judged: the length of complex numbers, and real ones as they are."""
    array = np.asarray(value)
    return np.abs(array) if array.dtype.kind == "c" else array


def add_links(total: npt.NDArray[np.complex128], vectors: npt.NDArray[np.complex128], ends: tuple[Ints, Ints]) -> None:
    """Add the phasors of the differences along links to their sums."""
    ahead = vectors[ends[0]]
    ahead *= vectors.conj()[ends[1]]
    total += ahead


def mean_length(total: npt.NDArray[np.complex128], times: int) -> float:
    """Return the mean over links of the length of the mean over times."""
    return float(np.abs(total).mean() / times) if total.size and times else 0.0


def _coherences(order: object, *, times: int = 1, groups: int = 1) -> Floats:
    """Return R of groups at times: as many of both as are needed for a variance."""
    found = series_of(size_of(order), "order", "groups")
    if len(found) < times or found.shape[1] < groups:
        raise InvalidValue(f"order must be of at least {times} times and {groups} groups, not of shape {found.shape}")
    return found


def _times(value: object, number: int, *, least: int) -> Floats:
    """Return ascending times, as many as there are values."""
    times = admit.finite(admit.column(value, "time", number, "value"), "time")
    if number < least or np.ndim(value) != 1 or (np.diff(times) <= 0).any():  # type: ignore[arg-type]
        raise InvalidValue(f"time must be at least {least} ascending numbers, one for each value")
    return times
