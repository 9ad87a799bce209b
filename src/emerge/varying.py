"""Parameters that change with time: along straight lines between points, or by a function asked now and then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue

__all__ = ["Varying", "varying"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Varying:
    """A parameter that changes with time; made by `varying`.

    Attributes
    ----------
    points : ndarray of float64, shape (k, 2), or None
        Times and values.
    function : callable or None
        What is asked instead.
    every : float
        Units of time between two questions.
    """

    points: Floats | None = field(default=None, repr=False)
    function: Callable[[float], object] | None = None
    every: float = 0.0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Varying):
            return NotImplemented
        same = (self.function, self.every) == (other.function, other.every)
        if self.points is None or other.points is None:
            return same and self.points is other.points
        return same and np.array_equal(self.points, other.points)

    def __hash__(self) -> int:
        return hash((self.function, self.every, None if self.points is None else self.points.tobytes()))

    def _at(self, time: float) -> object:
        """Return the value at a time."""
        if self.points is None:
            assert self.function is not None
            return self.function(time)
        return float(np.interp(time, self.points[:, 0], self.points[:, 1]))


def varying(course: npt.ArrayLike | Callable[[float], object], *, every: float | None = None) -> Varying:
    """Make a parameter that changes with time.

    Parameters
    ----------
    course : array_like of shape (k, 2), or callable
        Times, ascending, and the values then: between them the parameter goes along straight lines, before the first
        and after the last it stays. Or a function that gets the time and returns the value (for parameters that may
        differ between agents, also n of them).
    every : float, optional
        Needed with a function: units of time between two questions, greater than 0, a whole number of ticks. The
        value holds until the next. The function is asked before the tick in which it is due.

    Returns
    -------
    Varying
        To be given to a model in place of a number.

    Raises
    ------
    InvalidType, InvalidValue
        If the points are no such array, not finite or not ascending, or `every` is missing or not for points.

    Notes
    -----
    Points cost nothing: the engine reads them off at the time of each stage. A function ends a batch of ticks whenever
    it is due. Bitwise deterministic, if the function is. A model with a function in it is not saved with a swarm: give
    it to `Swarm.load` again.

    Examples
    --------
    >>> import emerge
    >>> slowly = emerge.varying([(0.0, 0.0), (50.0, 4.0)])
    >>> swarm = emerge.Swarm(emerge.Topology.complete(200), emerge.Kuramoto(coupling=slowly), seed=1)
    >>> swarm.run(60.0).coherence > 0.99
    True
    """
    if callable(course):
        if every is None:
            raise InvalidValue("a function needs every=, the time between two questions")
        return Varying(None, course, admit.real(every, "every", above=0.0))
    if every is not None:
        raise InvalidValue("every= is for a function; points hold at any time")
    points = np.array(admit.numbers(course, "course"), np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise InvalidValue(f"points must be pairs of time and value, shape (k, 2), not {points.shape}")
    admit.finite(points.ravel(), "points")
    if (np.diff(points[:, 0]) <= 0).any():
        raise InvalidValue("the times of points must ascend")
    points.flags.writeable = False
    return Varying(points)
