"""What the lines in the pictures are: closed forms, and equations that a coherence has to solve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import ive

from .row import Floats

ANGLE = np.linspace(-np.pi / 2, np.pi / 2, 401)


def normal(x: Floats) -> Floats:
    density: Floats = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return density


def integral(values: Floats, at: Floats) -> float:
    """Integrate by trapezoids."""
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(at)))


def greatest(missing: Callable[[float], float]) -> float:
    """Return the greatest coherence at which nothing is missing, 0 if there is none."""
    grid = np.linspace(1.0, 0.01, 100)
    found = [missing(float(r)) for r in grid]
    for k in range(len(grid) - 1):
        if found[k] < 0 <= found[k + 1]:
            return float(brentq(missing, grid[k + 1], grid[k]))
    return 0.0


def higher_order(coupling: float, strength: float) -> float:
    """Return the coherence that triads and tetrads keep up, for Lorentzian frequencies of width 1; 0 if none."""
    root = (coupling + strength) ** 2 - 8 * strength
    square = (strength - coupling + np.sqrt(max(root, 0.0))) / (2 * strength)
    return float(np.sqrt(square)) if root >= 0 and square > 0 else 0.0


def twisted(share: float, twist: int, waves: int) -> float:
    """Return how fast waves grow on a twisted state, of a ring so long that sums are integrals; coupling 1."""

    def mean(number: int) -> float:
        angle = 2 * np.pi * number * share
        return float(np.sin(angle) / angle) if number else 1.0

    return (mean(twist + waves) + mean(twist - waves)) / 2 - mean(twist)


def locked(pull: float, edge: float = np.inf) -> float:
    """Return what agents bring to coherence that are locked: those with frequencies of at most `edge`."""
    angle = ANGLE * (np.arcsin(min(1.0, edge / pull)) / (np.pi / 2))
    return pull * integral(np.cos(angle) ** 2 * normal(pull * np.sin(angle)), angle)


def lorentzian(coupling: float, width: float = 0.5, lag: float = 0.0) -> float:
    """Kuramoto, and Sakaguchi: R for Lorentzian frequencies."""
    return float(np.sqrt(max(0.0, 1 - 2 * width / (coupling * np.cos(lag)))))


def gaussian(coupling: float) -> float:
    """Kuramoto: R for normal frequencies of width 1."""
    return greatest(lambda r: locked(coupling * r) - r)


def noisy(coupling: float, noise: float = 0.5) -> float:
    """R of identical agents with noise, by modified Bessel functions."""
    return greatest(lambda r: float(ive(1, coupling * r / noise) / ive(0, coupling * r / noise)) - r)


def by_degree(coupling: float, degree: Floats) -> float:
    """Ichinomiya: R by links, for normal frequencies of width 1 and coupling per edge."""
    kinds, counts = np.unique(degree, return_counts=True)

    def missing(r: float) -> float:
        brought = [count * kind * locked(coupling * kind * r) for kind, count in zip(kinds, counts, strict=True)]
        return float(sum(brought) / np.sum(degree)) - r

    return greatest(missing)


def inertial(coupling: float, inertia: float, *, up: bool) -> float:
    """Tanaka: R with inertia; going up, agents lock below (4/π) √(K R/m), coming down they stay up to K R."""

    def missing(r: float) -> float:
        pull = coupling * r
        edge = min(pull, 4 / np.pi * np.sqrt(pull / inertia)) if up else pull
        outside = np.linspace(edge, 12.0, 2001)
        lost = integral(inertia * pull / (1 + (inertia * outside) ** 2) * normal(outside), outside)
        return locked(pull, edge) - lost - r

    return greatest(missing)
