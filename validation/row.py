"""What a record is, and what the records share: frequencies, coherence over time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

import emerge

Floats = npt.NDArray[np.float64]

CLIP = 200.0
"""Lorentzian tails end here, in widths: farther out nobody takes part, and ticks would have to be shorter."""


DATA = Path(os.environ.get("EMERGE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
"""Where files are that the project does not hold."""


@dataclass(frozen=True)
class Value:
    """A number that a result predicts."""

    name: str
    expected: float
    tolerance: float

    def holds(self, measured: float) -> bool:
        """Return whether a measured number is within the tolerance."""
        return abs(measured - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Row:
    """A published result.

    `measure` returns one number for each of `values`. With the parameters `otherwise` every one of them must be
    missed: a result that holds whatever is done shows nothing. `schedules` tells that it holds under every schedule,
    `data` which files it needs, that not everybody has.
    """

    id: str
    claim: str
    source: str
    parameters: str
    normalize: str
    values: tuple[Value, ...]
    measure: Callable[..., Sequence[float]]
    otherwise: dict[str, Any]
    schedules: bool = False
    data: tuple[Path, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The names of files that are not there."""
        return [path.name for path in self.data if not path.exists()]


def gaussian(n: int) -> Floats:
    """Quantiles of the normal distribution of width 1, so that finite-size scatter stays out."""
    return np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])


def lorentzian(n: int, width: float) -> Floats:
    """Quantiles of a Lorentzian of this half-width, clipped."""
    quantile = np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))
    return width * np.clip(quantile, -CLIP, CLIP)


def steady(swarm: emerge.Swarm, settle: float, span: float, **how: Any) -> float:
    """Return the mean coherence over a span, after the time that a swarm needs to settle."""
    swarm.run(settle, **how)
    history = swarm.run(span, record="coherence", **how).history
    assert history is not None
    return float(history.coherence.mean())


def around(angle: npt.ArrayLike) -> Floats:
    """Angles in [-π, π)."""
    turned: Floats = (np.asarray(angle, np.float64) + np.pi) % (2 * np.pi) - np.pi
    return turned
