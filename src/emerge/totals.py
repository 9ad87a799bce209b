"""Observers that sum a run up: one value at the end, of which they keep what it needs and never the phases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue
from .links import ends_of
from .measure import groups_of, order_of_groups
from .observer import Kept, Observer, View
from .phasor import Groups
from .samples import OfAgents, chosen_of
from .series import add_links, mean_length

if TYPE_CHECKING:
    from .swarm import Swarm

__all__ = ["ChimeraIndex", "EffectiveFrequency", "LinkCoherence", "Metastability", "PhaseLocking"]

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class PhaseLocking(OfAgents):
    """Observes how well pairs of agents are locked in phase, as `phase_locking`: one value, shape (k, k).

    Parameters
    ----------
    agents : array_like of int, shape (k,), optional
        Whom to compare, in this order; by default all agents.
    every, after : float, optional
        When: as for `OrderParameter`. Samples should fall on all phases alike: choose no multiple of a period.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n + k²) for each sample; 16 k² bytes in all. An agent adds nothing while it has failed.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> pair = emerge.Swarm(emerge.Topology.complete(2), emerge.Kuramoto(coupling=1.0), frequency=[0.0, 0.5], seed=1)
    >>> result = pair.run(100.0, record=[observe.PhaseLocking(every=1.0, after=50.0)])
    >>> result.history["phase_locking"].value.round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    name: ClassVar[str] = "phase_locking"
    sums_up: ClassVar[bool] = True

    def _begin(self, swarm: Swarm) -> Kept:
        agents = chosen_of(self.agents, len(swarm))
        k = len(swarm) if agents is None else agents.size
        admit.memory(16 * k * k, f"the locking of {k} agents")
        return _Locking(agents, k)


@dataclass(frozen=True, slots=True, eq=False)
class LinkCoherence(Observer):
    """Observes the fraction of links that are synchronised, as `link_coherence`: one value.

    Parameters
    ----------
    every, after : float, optional
        When: as for `OrderParameter`. Samples should fall on all phases alike: choose no multiple of a period.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.
    TooLarge
        If the topology has too many edges to be written out.

    Notes
    -----
    O(agents + edges) for each sample; 32 bytes an edge in all. The links are those of the topology at the start of the
    run. An agent adds nothing while it has failed.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> pair = emerge.Swarm(emerge.Topology.complete(2), emerge.Kuramoto(coupling=1.0), frequency=[0.0, 0.5], seed=1)
    >>> result = pair.run(100.0, record=[observe.LinkCoherence(every=1.0, after=50.0)])
    >>> round(float(result.history["link_coherence"].value), 6)
    1.0
    """

    name: ClassVar[str] = "link_coherence"
    sums_up: ClassVar[bool] = True

    def _begin(self, swarm: Swarm) -> Kept:
        return _LinkLocking(swarm)


@dataclass(frozen=True, slots=True, eq=False)
class Metastability(Observer):
    """Observes how much the coherence of groups varies in time, as `metastability`: one value.

    Parameters
    ----------
    groups : array_like of int, shape (n,)
        Group of each agent, numbered from 0 on without gaps.
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n) for each sample; 16 bytes a group in all, by Welford's running variance. NaN before the second sample.

    References
    ----------
    B. Welford, Technometrics 4, 419 (1962), doi:10.1080/00401706.1962.10490022 (running variance).

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> halves = emerge.Topology.groups([50, 50], [[0.6, 0.4], [0.4, 0.6]])
    >>> swarm = emerge.Swarm(halves, emerge.Kuramoto(coupling=1.0), phase=1.0)
    >>> result = swarm.run(1.0, record=[observe.Metastability([0] * 50 + [1] * 50, every=0.1)])
    >>> round(float(result.history["metastability"].value), 12)
    0.0
    """

    groups: Any = field(repr=False)

    name: ClassVar[str] = "metastability"
    sums_up: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        object.__setattr__(self, "groups", Groups.of(self.groups))

    def _begin(self, swarm: Swarm) -> Kept:
        return _InTime(groups_of(self.groups, len(swarm)))


@dataclass(frozen=True, slots=True, eq=False)
class ChimeraIndex(Observer):
    """Observes how differently coherent groups are at a time, as `chimera_index`: one value.

    Parameters
    ----------
    groups : array_like of int, shape (n,)
        Group of each agent, numbered from 0 on without gaps, two groups at least.
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n) for each sample; 8 bytes in all.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> halves = emerge.Topology.groups([50, 50], [[0.6, 0.4], [0.4, 0.6]])
    >>> swarm = emerge.Swarm(halves, emerge.Kuramoto(coupling=1.0), phase=1.0)
    >>> result = swarm.run(1.0, record=[observe.ChimeraIndex([0] * 50 + [1] * 50, every=0.1)])
    >>> round(float(result.history["chimera_index"].value), 12)
    0.0
    """

    groups: Any = field(repr=False)

    name: ClassVar[str] = "chimera_index"
    sums_up: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        groups = Groups.of(self.groups)
        if len(groups) < 2:
            raise InvalidValue("groups must be at least 2: a chimera index compares them")
        object.__setattr__(self, "groups", groups)

    def _begin(self, swarm: Swarm) -> Kept:
        return _Across(groups_of(self.groups, len(swarm)))


@dataclass(frozen=True, slots=True, eq=False)
class EffectiveFrequency(Observer):
    """Observes how fast agents turn in the mean from the first sample to the last: one value, shape (n,).

    Parameters
    ----------
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n) for each sample; 16 bytes an agent in all. Exact, whatever `every`: agents are followed at every tick. NaN
    before the second sample. The run makes the swarm track, which it goes on doing: see `Swarm.track`.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> pair = emerge.Swarm(emerge.Topology.complete(2), emerge.Kuramoto(coupling=1.0), frequency=[0.0, 8.0], seed=1)
    >>> result = pair.run(10.0, record=[observe.EffectiveFrequency()])
    >>> observe.frequency_clusters(result.history["effective_frequency"].value, 0.1).tolist()
    [0, 1]
    """

    name: ClassVar[str] = "effective_frequency"
    sums_up: ClassVar[bool] = True

    def _begin(self, swarm: Swarm) -> Kept:
        swarm.track()
        return _Turning(len(swarm))


class _Locking:
    """Sums of the phasors of differences of some agents."""

    def __init__(self, agents: npt.NDArray[np.int64] | None, k: int) -> None:
        self._agents = slice(None) if agents is None else agents
        self._total = np.zeros((k, k), np.complex128)
        self._times = 0

    def take(self, view: View) -> None:
        """Take a sample."""
        vectors = view.phasors[self._agents]
        self._total += np.multiply.outer(vectors, vectors.conj())
        self._times += 1

    @property
    def value(self) -> Floats:
        """Locking so far."""
        return np.abs(self._total) / max(self._times, 1)


class _LinkLocking:
    """Sums of the phasors of differences along links."""

    def __init__(self, swarm: Swarm) -> None:
        self._ends = ends_of(swarm.topology, len(swarm))
        self._total = np.zeros(len(self._ends[0]), np.complex128)
        self._times = 0

    def take(self, view: View) -> None:
        """Take a sample."""
        add_links(self._total, view.phasors, self._ends)
        self._times += 1

    @property
    def value(self) -> float:
        """Coherence of links so far."""
        return mean_length(self._total, self._times)


class _InTime:
    """Mean and variance over time of R of groups, by Welford's recurrence."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._times = 0
        self._mean = np.zeros(len(groups))
        self._squares = np.zeros(len(groups))

    def take(self, view: View) -> None:
        """Take a sample."""
        order = np.abs(order_of_groups(view.phase, self._groups, view.living))
        self._times += 1
        away = order - self._mean
        self._mean += away / self._times
        self._squares += away * (order - self._mean)

    @property
    def value(self) -> float:
        """Metastability so far."""
        return float(self._squares.mean() / (self._times - 1)) if self._times > 1 else np.nan


class _Across:
    """Sum over times of the variance of R across groups."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._times = 0
        self._total = 0.0

    def take(self, view: View) -> None:
        """Take a sample."""
        order = np.abs(order_of_groups(view.phase, self._groups, view.living))
        self._total += float(np.var(order, ddof=1))
        self._times += 1

    @property
    def value(self) -> float:
        """Chimera index so far."""
        return self._total / self._times if self._times else np.nan


class _Turning:
    """How far agents had turned at the first and at the last sample."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._first: tuple[float, Floats] | None = None
        self._last: tuple[float, Floats] | None = None

    def take(self, view: View) -> None:
        """Take a sample."""
        self._last = view.time, view.displacement
        self._first = self._first or self._last

    @property
    def value(self) -> Floats:
        """Effective frequencies so far."""
        if self._first is None or self._last is None or self._first[0] == self._last[0]:
            return np.full(self._n, np.nan)
        frequency: Floats = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
        return frequency
