"""A model of one's own: Winfree's, in which agents feel pulses instead of differences of phase.

    python examples/custom.py

The rate is ωᵢ − K sin θᵢ (1/N) Σⱼ (1 + cos θⱼ). emerge computes the field hᵢ = (1/N) Σⱼ e^{i(θⱼ − θᵢ)}, as agent i
sees it; the mean pulse is 1 + Re(hᵢ e^{iθᵢ}), so that the model is one line. Weakly coupled agents turn each at its own
rate, with more coupling they lock, with much they fall silent. With numba installed the line is compiled, and serves
any method; otherwise Python is asked in every tick.

A. Winfree, J. Theor. Biol. 16, 15 (1967), doi:10.1016/0022-5193(67)90051-3; J. Ariaratnam, S. Strogatz, Phys. Rev.
Lett. 86, 4278 (2001), doi:10.1103/PhysRevLett.86.4278.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

import numpy as np

import emerge

Array = Any
"""The phases and frequencies of all agents are float64, the field is complex128."""


def winfree(phase: Array, field: Array, frequency: Array, parameters: tuple[float, ...]) -> Array:
    """Return the rates of all agents."""
    return frequency - parameters[0] * (1.0 + (field * np.exp(1j * phase)).real) * np.sin(phase)


def compiled() -> Any:
    """Return the same for a block of agents, compiled by numba, or None without it."""
    try:
        numba = importlib.import_module("numba")
    except ImportError:
        return None
    doubles = numba.types.CPointer(numba.types.float64)

    def block(count, phase, re, im, frequency, parameters, rate):  # type: ignore[no-untyped-def]
        for i in range(count):
            sine, cosine = np.sin(phase[i]), np.cos(phase[i])
            rate[i] = frequency[i] - parameters[0] * (1.0 + re[i] * cosine - im[i] * sine) * sine

    return numba.cfunc(numba.types.void(numba.types.int64, *[doubles] * 6))(block)


def main() -> None:
    """Print how fast agents turn, for three couplings."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=1, help="of the phases [1]")
    asked.add_argument("--python", action="store_true", help="do not compile the model, even with numba")
    wanted = asked.parse_args()
    function = None if wanted.python else compiled()
    print(f"model {'compiled by numba' if function else 'in Python'}\n")
    print("coupling   slowest   fastest agent, rad per unit of time")
    for coupling in (0.05, 0.5, 1.5):
        slowest, fastest = rates(function or winfree, coupling, wanted.seed)
        print(f"{coupling:8.2f}   {slowest:7.2f}   {fastest:7.2f}")


def rates(function: Any, coupling: float, seed: int) -> tuple[float, float]:
    """Return the mean rates of the slowest and the fastest of 200 agents, after a while."""
    n, dt, ticks = 200, 0.02, 20_000
    model = emerge.Custom(function, parameters=(coupling,), normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(n), model, frequency=np.linspace(0.9, 1.1, n), seed=seed)
    swarm.run(100.0, dt=dt)
    seen = [swarm.phase]
    for _ in range(ticks // 20):
        swarm.step(20, dt=dt)
        seen.append(swarm.phase)
    turned = np.unwrap(np.array(seen), axis=0)
    mean = (turned[-1] - turned[0]) / (ticks * dt)
    return float(mean.min()), float(mean.max())


if __name__ == "__main__":
    main()
