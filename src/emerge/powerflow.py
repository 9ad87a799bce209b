"""The state in which a power grid turns as one: P = B K sin(Bᵀθ), by Newton's method or by a swarm at rest."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import Infeasible, InvalidValue
from .model import SecondOrder
from .swarm import Swarm

if TYPE_CHECKING:
    from .grid import PowerGrid, Solver

__all__ = ["PowerFlow", "solved"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEPS, SHORTEST = 60, 2.0**-12
"""Most steps of Newton's method, and the least share of one that is taken."""

ROUNDING = 1e-15
"""What is missing at a bus comes from rounding if it is a few of these, times what its lines carry."""

HALVINGS = 20
"""Of the interval in which the largest share of power that lines carry is looked for."""

BINDS, NAMED = 0.5, 5
"""A line binds if it opens at least so fast beside the fastest; how many are named."""

STRONG, WEAK, NEAR = 1.4, 0.005, 0.1
"""Damping by inertia of a swarm that comes to rest, before and after so little is missing beside what is fed in."""

REST_LOOK, REST_MOST = 20, 400_000
"""Ticks between two looks at it, and how many it may need."""


@dataclass(frozen=True, slots=True, eq=False)
class PowerFlow:
    """What `PowerGrid.power_flow` found: made by it.

    Attributes
    ----------
    phase : ndarray of float64, shape (n,)
        Angles in rad, 0 at the slack.
    flows : ndarray of float64, shape (L,)
        What flows over each line from its first bus to its second, per unit.
    deviation : float
        By how much frequency differs from nominal, in Hz.
    residual : float
        The largest power that is missing at a bus, per unit.
    steps : int
        Steps of Newton's method, or ticks of the swarm.
    """

    phase: Floats
    flows: Floats
    deviation: float
    residual: float
    steps: int


class Network:
    """The lines in service, and what they carry at given angles."""

    def __init__(self, grid: PowerGrid) -> None:
        self.n, self.slack = len(grid), grid.slack
        self.one, self.other = np.ascontiguousarray(grid.lines[grid.lines_on].T)
        self.capacity = grid.capacity[grid.lines_on]
        self.kept = np.flatnonzero(np.arange(self.n) != self.slack)
        self._sparse = admit.extra("scipy.sparse", "graphs", "a power flow")
        self._linear = admit.extra("scipy.sparse.linalg", "graphs", "a power flow")

    def gaps(self, phase: Floats) -> Floats:
        """Return the angle over each line."""
        found: Floats = phase[self.one] - phase[self.other]
        return found

    def _outgoing(self, flow: Floats) -> Floats:
        out: Floats = np.bincount(self.one, flow, self.n).astype(np.float64)
        return out - np.bincount(self.other, flow, self.n)

    def missing(self, power: Floats, phase: Floats) -> Floats:
        """Return the power that each bus has left over."""
        return power - self._outgoing(self.capacity * np.sin(self.gaps(phase)))

    def rounding(self) -> float:
        """Return what may be missing at a bus because numbers are rounded."""
        carried = np.bincount(self.one, self.capacity, self.n) + np.bincount(self.other, self.capacity, self.n)
        return ROUNDING * float(carried.max(initial=1.0))

    def factors(self, phase: Floats) -> Any | None:
        """Factor the Laplacian of the slopes without the slack, if it is positive: the state is stable then.

        Pivots stay on the diagonal, so their signs are those of the eigenvalues (Sylvester's law of inertia).
        """
        slope = self.capacity * np.cos(self.gaps(phase))
        ends = np.append(self.one, self.other), np.append(self.other, self.one)
        beside = self._sparse.coo_array((np.append(slope, slope), ends), (self.n, self.n)).tocsr()
        laplacian = (self._sparse.diags_array(beside.sum(axis=1)) - beside).tocsr()[self.kept][:, self.kept].tocsc()
        try:
            found = self._linear.splu(
                laplacian, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        except RuntimeError:  # singular
            return None
        straight = np.array_equal(found.perm_r, found.perm_c)
        return found if straight and (found.U.diagonal() > 0).all() else None

    def along(self, factors: Any, power: Floats) -> Floats:
        """Return how angles turn as power grows by this."""
        turn = np.zeros(self.n)
        turn[self.kept] = factors.solve(power[self.kept])
        return turn

    def newton(self, power: Floats, start: Floats) -> tuple[Floats, int] | None:
        """Return the stable state and the steps it took; None if there is none on the way from the start.

        A step is shortened until less is missing and the state it leads to is stable.
        """
        if self.n == 1:
            return start, 0
        phase, factors = start, self.factors(start)
        left, enough = self.missing(power, phase), 4 * self.rounding()
        for step in range(STEPS):
            if factors is None or np.abs(left).max() <= enough:
                return None if factors is None else (phase, step)
            turn, share = self.along(factors, left), 1.0
            while True:
                there = phase + share * turn
                beyond = self.missing(power, there)
                ahead = self.factors(there) if norm(beyond) < norm(left) else None
                if ahead is not None:
                    break
                share /= 2
                if share < SHORTEST:
                    return (phase, step) if np.abs(turn).max() < 1e-10 else None
            phase, left, factors = there, beyond, ahead
        return None


def norm(array: Floats) -> float:
    """Return the Euclidean length."""
    return float(np.sqrt(array @ array))


def solved(grid: PowerGrid, method: Solver) -> PowerFlow:
    """Solve the power flow of a grid that is one piece."""
    network = Network(grid)
    power, common = _balanced(grid)
    found = network.newton(power, np.zeros(len(grid))) if method == "newton" else _rested(grid, network, power)
    if found is None:
        if method == "relax" and network.newton(power, np.zeros(len(grid))) is not None:
            raise InvalidValue("a swarm does not come to rest so near what the lines can carry: use method='newton'")
        raise _infeasible(grid, network, power)
    phase, steps = found
    phase = phase - phase[grid.slack]
    left = float(np.abs(network.missing(power, phase)).max())
    return PowerFlow(phase, grid._flows(phase), common / (2 * pi), left, steps)


def _balanced(grid: PowerGrid) -> tuple[Floats, float]:
    """Return power without what damping takes at the common frequency, and that frequency in rad/s."""
    power, damping = grid.power, grid.damping
    surplus = float(power.sum())
    if abs(surplus) <= 1e-12 * np.abs(power).sum():
        return power - surplus / len(grid), 0.0
    if not damping.sum() > 0:
        raise InvalidValue(
            f"generation and load differ by {surplus * grid.base:.6g} MW, and nothing damps: balance them, or give the"
            " machines damping"
        )
    common = surplus / float(damping.sum())
    return power - damping * common, common


def _infeasible(grid: PowerGrid, network: Network, power: Floats) -> Infeasible:
    """Find the largest share of the power that lines carry, and those that open fastest as it is reached."""
    share, above, phase = 0.0, 1.0, np.zeros(len(grid))
    for _ in range(HALVINGS):
        middle = (share + above) / 2
        found = network.newton(middle * power, phase)
        if found is None:
            above = middle
        else:
            share, phase = middle, found[0]
    opening = np.abs(network.gaps(network.along(network.factors(phase), power)))
    order = np.argsort(-opening, kind="stable")
    binding = np.flatnonzero(grid.lines_on)[order[: int((opening >= BINDS * opening.max()).sum())]]
    named = ", ".join("–".join(grid.labels[bus] for bus in grid.lines[line]) for line in binding[:NAMED].tolist())
    more = f" and {len(binding) - NAMED} more" if len(binding) > NAMED else ""
    return Infeasible(
        f"the lines carry at most {100 * share:.4g} % of what is fed in and taken, {100 * (1 - share):.3g} % too"
        f" little; what binds is {named}{more}: feed in less, or more lines",
        share,
        tuple(binding.tolist()),
    )


def _rested(grid: PowerGrid, network: Network, power: Floats) -> tuple[Floats, int] | None:
    """Let a swarm come to rest, whose inertia is such that no bus swings faster than by √2 rad a tick.

    Strong damping brings it near without a swing that would carry it over; then weak damping lets slow modes go on, and
    all velocities are taken away whenever power no longer drives them (Bitzek et al., Phys. Rev. Lett. 97, 170201
    (2006), doi:10.1103/PhysRevLett.97.170201, without their mixing).
    """
    weight = np.where(grid.stiffness > 0, grid.stiffness, 1.0)
    swarm = Swarm(grid.topology, _resting(weight, STRONG), frequency=power, phase=0.0, seed=0)
    enough, near, weak = 4 * network.rounding(), NEAR * np.abs(power).max(), False
    for ticks in range(REST_LOOK, REST_MOST, REST_LOOK):
        swarm.step(REST_LOOK, dt=1.0, method="verlet")
        phase = swarm.phase
        left = network.missing(power, phase)
        worst = np.abs(left).max()
        if worst <= enough:
            return np.angle(np.exp(1j * (phase - phase[grid.slack]))), ticks
        if not weak and worst <= near:
            swarm.model, weak = _resting(weight, WEAK), True
        elif weak and left @ swarm.velocity < 0:
            swarm.velocity = 0.0
    return None


def _resting(weight: Floats, damping: float) -> SecondOrder:
    return SecondOrder(coupling=1.0, normalize="none", inertia=weight, damping=damping * weight)
