"""Observers that have a value at each sample: order parameters, and measures of patterns.

What each computes is the function of `emerge.observe` that has its name, of the state at that tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from . import admit
from .measure import (
    groups_of,
    link_order_of,
    local_order_of,
    order_of_groups,
    order_parameter,
    splay,
    weights_of,
    winding_number,
)
from .observer import Kept, Observer, Sampled, View
from .phasor import MOMENT_MAX, Groups

if TYPE_CHECKING:
    from .swarm import Swarm

ENDS_MAX = 2**62
"""More edge ends than any topology has."""

__all__ = [
    "Displacement",
    "GroupOrder",
    "LinkOrder",
    "LocalOrder",
    "OfAgents",
    "OrderParameter",
    "Phases",
    "Splay",
    "Strengths",
    "WindingNumber",
    "fixed",
]


@dataclass(frozen=True, slots=True, eq=False)
class OrderParameter(Observer):
    """Observes the order parameter or a higher moment, as `order_parameter`: complex, shape (samples,).

    Parameters
    ----------
    moment : int, default 1
        m of the mean of exp(imθ), from 1 to 100 000.
    weights : array_like of shape (n,), optional
        Weight of each agent in the mean, at least 0 and not all 0, such as ``topology.degree``.
    every : float, optional
        Interval between samples, in units of time, a whole number of ticks. By default a hundredth of the run.
    after : float, default 0.0
        Time from the start of the run to the first sample, 0 or a whole number of ticks.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n) and 16 bytes for each sample. R at every tick costs next to nothing with ``record="coherence"``.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.complete(50), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> r2 = observe.OrderParameter(moment=2, every=0.5)
    >>> result = swarm.run(50.0, record={"r2": r2}, until=r2.above(0.9))
    >>> result.reason, len(result.history["r2"]) == result.ticks // 50 + 1
    ('reached', True)
    """

    moment: int = 1
    weights: Any = field(default=None, repr=False)

    name: ClassVar[str] = "order_parameter"

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        object.__setattr__(self, "moment", admit.count(self.moment, "moment", most=MOMENT_MAX))
        if self.weights is not None:
            object.__setattr__(self, "weights", fixed(weights_of(self.weights, np.size(self.weights))))

    def _fits(self, n: int) -> None:
        if self.weights is not None:
            weights_of(self.weights, n)

    def _look(self, view: View) -> complex:
        value: complex = order_parameter(view.phase, self.moment, weights=self.weights, failed=view.failed)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class GroupOrder(Observer):
    """Observes the order parameter of each group, as `group_order`: complex, shape (samples, groups).

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
    O(n), and 16 bytes a group, for each sample.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> halves = emerge.Topology.groups([50, 50], [[0.6, 0.4], [0.4, 0.6]])
    >>> swarm = emerge.Swarm(halves, emerge.Kuramoto(coupling=1.0), seed=1)
    >>> result = swarm.run(1.0, record=[observe.GroupOrder([0] * 50 + [1] * 50, every=0.1)])
    >>> result.history["group_order"].value.shape
    (11, 2)
    """

    groups: Any = field(repr=False)

    name: ClassVar[str] = "group_order"

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        object.__setattr__(self, "groups", Groups.of(self.groups))

    def _fits(self, n: int) -> None:
        groups_of(self.groups, n)

    def _look(self, view: View) -> npt.NDArray[np.complex128]:
        return order_of_groups(view.phase, self.groups, view.living)


@dataclass(frozen=True, slots=True, eq=False)
class LocalOrder(Observer):
    """Observes the local order of each agent, as `local_order`: shape (samples, n).

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
    O(agents + edges), and 8 bytes an agent, for each sample; O(agents) on complete topologies and groups. During the
    run 4 bytes an edge end, 12 with weights. Neighbours are those of the topology that holds at the sample.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.ring(20, degree=4), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> swarm.run(1.0, record=[observe.LocalOrder(every=0.5)]).history["local_order"].value.shape
    (3, 20)
    """

    name: ClassVar[str] = "local_order"

    def _look(self, view: View) -> npt.NDArray[np.float64]:
        return local_order_of(view.phasors, view.here, view.links)


@dataclass(frozen=True, slots=True, eq=False)
class LinkOrder(Observer):
    """Observes the mean cosine over links, as `link_order`: shape (samples,).

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
    Cost and neighbours as of `LocalOrder`, with 8 bytes a sample.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.ring(20, degree=4), emerge.Kuramoto(coupling=1.0), phase=1.0)
    >>> swarm.run(1.0, record=[observe.LinkOrder(every=1.0)]).history["link_order"].value.round(6).tolist()
    [1.0, 1.0]
    """

    name: ClassVar[str] = "link_order"

    def _look(self, view: View) -> float:
        value: float = link_order_of(view.phasors, view.here, view.links)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class WindingNumber(Observer):
    """Observes how many turns the phase makes along a ring, as `winding_number`: whole numbers, shape (samples,).

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
    O(n) and 8 bytes for each sample. Agents count in the order of their numbers, also those that have failed.

    Examples
    --------
    >>> import emerge, numpy as np
    >>> from emerge import observe
    >>> twisted = 2 * 2 * np.pi * np.arange(40) / 40
    >>> swarm = emerge.Swarm(emerge.Topology.ring(40), emerge.Kuramoto(coupling=1.0), phase=twisted)
    >>> swarm.run(1.0, record=[observe.WindingNumber(every=0.5)]).history["winding_number"].value.tolist()
    [2, 2, 2]
    """

    name: ClassVar[str] = "winding_number"

    def _look(self, view: View) -> int:
        value: int = winding_number(view.phase)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Splay(Observer):
    """Observes how evenly phases are spread, as `splay`: shape (samples,).

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
    O(n log n) and 8 bytes for each sample.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.Kuramoto(coupling=-1.0), seed=1)
    >>> swarm.run(100.0, until=observe.Splay(every=1.0).above(0.999)).reason
    'reached'
    """

    name: ClassVar[str] = "splay"

    def _look(self, view: View) -> float:
        value: float = splay(view.phase, failed=view.failed)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class OfAgents(Observer):
    """What observers of some agents have in common: whom, or None for all."""

    agents: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        object.__setattr__(self, "agents", chosen_of(self.agents, admit.AGENTS_MAX))


@dataclass(frozen=True, slots=True, eq=False)
class Phases(OfAgents):
    """Observes phases, of all agents or of some: shape (samples, k).

    Parameters
    ----------
    agents : array_like of int, shape (k,), optional
        Whose, in this order; by default all agents'.
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n), and 8 k bytes, for each sample. In [0, 2π).

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.ring(20), emerge.Kuramoto(coupling=1.0), phase=1.0)
    >>> swarm.run(1.0, record=[observe.Phases([0, 5], every=0.5)]).history["phases"].value.tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """

    name: ClassVar[str] = "phases"

    def _fits(self, n: int) -> None:
        chosen_of(self.agents, n)

    def _look(self, view: View) -> npt.NDArray[np.float64]:
        return view.phase if self.agents is None else view.phase[self.agents]


@dataclass(frozen=True, slots=True, eq=False)
class Displacement(OfAgents):
    """Observes how far agents have turned, as `Swarm.displacement`: in rad, shape (samples, k).

    Parameters
    ----------
    agents : array_like of int, shape (k,), optional
        Whose, in this order; by default all agents'.
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range.

    Notes
    -----
    O(n), and 8 k bytes, for each sample. The run makes the swarm track, which it goes on doing: see `Swarm.track`.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> swarm = emerge.Swarm(emerge.Topology.ring(20), emerge.Kuramoto(coupling=1.0), phase=1.0, frequency=8.0)
    >>> swarm.run(2.0, record=[observe.Displacement([3], every=1.0)]).history["displacement"].value.ravel().round(9)
    array([ 0.,  8., 16.])
    """

    name: ClassVar[str] = "displacement"

    def _begin(self, swarm: Swarm) -> Kept:
        chosen_of(self.agents, len(swarm))
        swarm.track()
        return Sampled(self._look)

    def _look(self, view: View) -> npt.NDArray[np.float64]:
        return view.displacement if self.agents is None else view.displacement[self.agents]


@dataclass(frozen=True, slots=True, eq=False)
class Strengths(Observer):
    """Observes weights that adapt, as `Swarm.strengths`: shape (samples, k).

    Parameters
    ----------
    ends : array_like of int, shape (k,), optional
        Places in `Swarm.strengths` of those that are wanted, in this order; by default all.
    every, after : float, optional
        When: as for `OrderParameter`.

    Raises
    ------
    InvalidType, InvalidValue
        If an argument is of the wrong type or range, or the swarm was made without ``adapt=``.

    Notes
    -----
    O(edges), and 8 k bytes, for each sample.

    Examples
    --------
    >>> import emerge
    >>> from emerge import observe
    >>> web, law = emerge.Topology.from_edges([(0, 1), (1, 2)]), emerge.Hebbian(rate=0.0)
    >>> swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), seed=1, adapt=law)
    >>> swarm.run(1.0, record=[observe.Strengths([0, 3], every=1.0)]).history["strengths"].value.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    ends: Any = field(default=None, repr=False)

    name: ClassVar[str] = "strengths"

    def __post_init__(self) -> None:
        Observer.__post_init__(self)
        if self.ends is not None:
            object.__setattr__(self, "ends", fixed(_ends(self.ends, ENDS_MAX)))

    def _begin(self, swarm: Swarm) -> Kept:
        count = swarm.strengths.size
        if self.ends is not None:
            _ends(self.ends, count)
        return Sampled(self._look)

    def _look(self, view: View) -> npt.NDArray[np.float64]:
        return view.strengths if self.ends is None else view.strengths[self.ends]


def _ends(value: object, count: int) -> npt.NDArray[np.int64]:
    """Return places of edge ends, each below a count."""
    return admit.places(value, count, "ends", "edge ends")


def fixed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, made read-only, for a value that never changes."""
    array.flags.writeable = False
    return array


def chosen_of(agents: object, n: int) -> npt.NDArray[np.int64] | None:
    """Return agents in 0..n-1, read-only, or None for all."""
    return None if agents is None else fixed(admit.agents(agents, n))
