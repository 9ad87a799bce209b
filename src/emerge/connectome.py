"""Brain networks: weights and distances between regions, and the delays that a conduction speed makes of them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import GraphFileError, InvalidType, InvalidValue
from .topology import Topology

__all__ = ["Connectome"]

Floats = npt.NDArray[np.float64]

HEMISPHERE = np.array([30.0, 70.0, 45.0])
"""Half axes of a synthetic hemisphere in mm: to the side, forward, up."""
ASIDE, SCATTER, SYMMETRY = 33.0, 0.8, 3.0
"""Where the middle of a hemisphere is, mm; spread of the logarithm of weights; how far mirrored regions are off, mm."""

ROUND = 1e-9
"""Part of a weight or distance by which the two ways of a connection may differ and still be one."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Connectome:
    """Regions of a brain: how strongly they are connected, and how far apart they are.

    Parameters
    ----------
    weights : array_like of shape (n, n)
        Row i: how strongly region i senses each other; 0 where there is no connection. Finite; the diagonal is left
        out.
    distances : array_like of shape (n, n)
        Lengths of the connections, at least 0, in a unit of your choice, mostly mm; read where there is a weight, and
        anything, also NaN, elsewhere.
    labels : sequence of str, optional
        Names of the regions, n of them.
    positions : array_like of shape (n, 3), optional
        Where regions are, for pictures.

    Raises
    ------
    InvalidType, InvalidValue
        If a matrix is not square, not finite or of another size, a distance is negative, or distances are not symmetric
        where weights are.

    Notes
    -----
    A value: it cannot be changed, and all threads may read it. Where weights are symmetric, but for rounding (10⁻⁹ of
    each), so is the topology; else its edges are directed, (i, j) meaning that i senses j.

    References
    ----------
    J. Cabral, E. Hugues, O. Sporns, G. Deco, NeuroImage 57, 130 (2011), doi:10.1016/j.neuroimage.2011.04.010.

    Examples
    --------
    >>> import emerge
    >>> brain = emerge.Connectome([[0, 1.0], [1.0, 0]], [[0, 30.0], [30.0, 0]])
    >>> brain.delays(speed=10.0)
    array([3.])
    """

    weights: Floats
    distances: Floats
    labels: tuple[str, ...] | None = None
    positions: Floats | None = None
    topology: Topology = field(init=False)

    def __post_init__(self) -> None:
        weights, distances = _square(self.weights, "weights"), _square(self.distances, "distances")
        if weights.shape != distances.shape:
            raise InvalidValue(f"weights are of {len(weights)} regions, but distances of {len(distances)}")
        np.fill_diagonal(weights, 0.0)
        _finite(weights, "weights")
        there = weights != 0
        lengths = np.where(there, distances, 0.0)
        _finite(lengths, "distances")
        if (lengths < 0).any():
            i, j = np.argwhere(lengths < 0)[0].tolist()
            raise InvalidValue(f"distances must be at least 0, but that of {i} and {j} is {distances[i, j]:g}")
        if np.allclose(weights, weights.T, rtol=ROUND, atol=0.0):
            weights, distances = (weights + weights.T) / 2, np.where(there, _evened(lengths), distances)
        object.__setattr__(self, "weights", _kept(weights))
        object.__setattr__(self, "distances", _kept(distances))
        if self.labels is not None:
            object.__setattr__(self, "labels", _names(self.labels, len(weights)))
        if self.positions is not None:
            object.__setattr__(self, "positions", _kept(_places(self.positions, len(weights))))
        object.__setattr__(self, "topology", self._joined())

    def __len__(self) -> int:
        return len(self.weights)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Connectome):
            return NotImplemented
        return (
            self.labels == other.labels
            and np.array_equal(self.weights, other.weights)
            and np.array_equal(self.delays(1.0), other.delays(1.0))
            and _alike(self.positions, other.positions)
        )

    def __hash__(self) -> int:
        return hash((len(self), self.topology.edge_count, self.labels))

    def __repr__(self) -> str:
        kind = "directed connections" if self.topology.directed else "connections"
        return f"Connectome({len(self)} regions, {self.topology.edge_count} {kind})"

    def _joined(self) -> Topology:
        """Make the topology of the weights."""
        there, symmetric = self.weights != 0, np.array_equal(self.weights, self.weights.T)
        pairs = np.argwhere(np.triu(there) if symmetric else there)
        weights = self.weights[pairs[:, 0], pairs[:, 1]]
        return Topology.from_edges(pairs, n=len(self), weights=weights, directed=not symmetric, labels=self.labels)

    def delays(self, speed: float) -> Floats:
        """Return how long it takes along each connection.

        Parameters
        ----------
        speed : float
            Conduction speed, greater than 0, in units of distance for each unit of time: mm/ms is m/s, about 5 to 20
            in white matter. Infinite: no delays.

        Returns
        -------
        ndarray of float64, shape (E,)
            Delays in units of time, in the order of ``topology.edges``.

        Raises
        ------
        InvalidType, InvalidValue
            If the speed is no number greater than 0.

        Examples
        --------
        >>> import emerge
        >>> brain = emerge.Connectome.synthetic(20, seed=1)
        >>> bool((brain.delays(10.0) > 0).all())
        True
        """
        edges = self.topology.edges
        lengths: Floats = self.distances[edges[:, 0], edges[:, 1]]
        if speed == np.inf:
            return np.zeros_like(lengths)
        return lengths / admit.real(speed, "speed", above=0.0)

    @classmethod
    def read(
        cls,
        weights: str | os.PathLike[str],
        distances: str | os.PathLike[str],
        *,
        labels: str | os.PathLike[str] | None = None,
    ) -> Connectome:
        """Read plain matrices.

        Parameters
        ----------
        weights, distances : path-like
            The two matrices: text with a line for each region, numbers apart by blanks, tabs, commas or semicolons, or
            what NumPy saves as ``.npy``.
        labels : path-like, optional
            A text of one name for each line.

        Returns
        -------
        Connectome
            What the files hold.

        Raises
        ------
        GraphFileError
            If a file holds no such matrix, or the two do not go together; the file is named.
        OSError
            If one cannot be read.

        Examples
        --------
        >>> import emerge, numpy, os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> path = os.path.join(folder, "weights.txt")
        >>> numpy.savetxt(path, [[0, 2.0], [2.0, 0]])
        >>> emerge.Connectome.read(path, path)
        Connectome(2 regions, 1 connections)
        """
        names = None if labels is None else Path(labels).read_text(encoding="utf-8").split("\n")
        try:
            return cls(
                _matrix(Path(weights)),
                _matrix(Path(distances)),
                labels=None if names is None else tuple(name.strip() for name in names if name.strip()),
            )
        except (InvalidType, InvalidValue) as error:
            raise GraphFileError(f"{os.fspath(weights)} and {os.fspath(distances)}: {error}") from None

    @classmethod
    def synthetic(
        cls,
        regions: int = 90,
        *,
        density: float = 0.25,
        decay: float = 25.0,
        seed: int | np.random.Generator | None = None,
    ) -> Connectome:
        """Draw a brain: two hemispheres, mirror images but for some mm, connected the more strongly the nearer.

        Parameters
        ----------
        regions : int, default 90
            How many, an even number, at least 4.
        density : float, default 0.25
            Share of pairs that are connected, the strongest, in (0, 1].
        decay : float, default 25.0
            Distance in mm in which weights fall to 1/e, greater than 0.
        seed : int or numpy.random.Generator, optional
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Connectome
            Symmetric; distances in mm; weights of mean 1, each region connected with its mirror image.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range.

        Notes
        -----
        Weights are exp(-distance / decay) times a log-normal factor. The same seed gives the same connectome. O(n**2).

        References
        ----------
        M. Ercsey-Ravasz et al., Neuron 80, 184 (2013), doi:10.1016/j.neuron.2013.07.036, on the exponential distance
        rule. The shape of the brain is ours.

        Examples
        --------
        >>> import emerge
        >>> emerge.Connectome.synthetic(90, seed=1)
        Connectome(90 regions, 1001 connections)
        """
        regions = admit.count(regions, "regions", least=4)
        if regions % 2:
            raise InvalidValue(f"regions must be an even number, as many on the left as on the right, not {regions}")
        density = admit.real(density, "density", above=0.0, most=1.0)
        decay = admit.real(decay, "decay", above=0.0)
        rng, half = admit.generator(seed), regions // 2
        inside = rng.normal(size=(half, 3))
        inside *= (rng.uniform(size=half) ** (1 / 3) / np.linalg.norm(inside, axis=1))[:, None]
        right = inside * HEMISPHERE + [ASIDE, 0.0, 0.0]
        left = right * [-1.0, 1.0, 1.0] + rng.normal(0.0, SYMMETRY, (half, 3))
        place = np.concatenate([left, right])
        distance = np.linalg.norm(place[:, None] - place[None], axis=2)
        strength = np.exp(-distance / decay + rng.normal(0.0, SCATTER, distance.shape))
        strength = np.triu(strength, 1)
        mirrored = np.arange(half), np.arange(half) + half
        kept = max(half, round(density * regions * (regions - 1) / 2))
        order = strength.copy()
        order[mirrored] = np.inf
        weakest = np.partition(order[np.triu_indices(regions, 1)], -kept)[-kept]
        strength[order < weakest] = 0.0
        strength /= strength[strength > 0].mean()
        names = tuple(f"{side}{k}" for side in "LR" for k in range(1, half + 1))
        return cls(strength + strength.T, distance, names, place)


def _square(value: Any, name: str) -> Floats:
    array = np.array(admit.numbers(value, name), np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise InvalidValue(f"{name} must be a square matrix, a row for each region, not of shape {array.shape}")
    return array


def _alike(one: Floats | None, other: Floats | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _finite(matrix: Floats, name: str) -> None:
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0].tolist()
        raise InvalidValue(f"{name} must be finite, but that of {i} and {j} is {matrix[i, j]}")


def _evened(distances: Floats) -> Floats:
    """Return distances that go with symmetric weights, without what rounding made of them."""
    odd = np.argwhere(~np.isclose(distances, distances.T, rtol=ROUND, atol=0.0))
    if len(odd):
        i, j = odd[0].tolist()
        raise InvalidValue(
            f"distances must be symmetric where weights are, but those of {i} and {j} differ: (d + d.T) / 2 is"
        )
    evened: Floats = (distances + distances.T) / 2
    return evened


def _names(value: Any, n: int) -> tuple[str, ...]:
    names = tuple(str(name) for name in value)
    if len(names) != n:
        raise InvalidValue(f"there are {n} regions, but {len(names)} labels")
    return names


def _places(value: Any, n: int) -> Floats:
    array = np.array(admit.numbers(value, "positions"), np.float64)
    if array.shape != (n, 3):
        raise InvalidValue(f"positions must have shape ({n}, 3), not {array.shape}")
    admit.finite(array.ravel(), "positions")
    return array


def _kept(array: Floats) -> Floats:
    """Let nobody write into an array."""
    array.flags.writeable = False
    return array


def _matrix(path: Path) -> Floats:
    """Read one matrix."""
    try:
        if path.suffix == ".npy":
            found: Floats = np.load(path, allow_pickle=False)
            return found
        text = path.read_text(encoding="utf-8")
        for other in ",;":
            text = text.replace(other, " ")
        return np.loadtxt(text.splitlines(), dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise GraphFileError(f"{path}: this is no matrix of numbers: {error}") from None
