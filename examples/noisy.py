"""Coherence against noise: identical agents stay in step until noise reaches half the coupling.

    python examples/noisy.py

All agents have one frequency, so that noise alone keeps them apart. For ever more agents, coherence solves
R = I₁(KR/D)/I₀(KR/D), which has no solution but 0 from D = K/2 on (L. Bertini, G. Giacomin, K. Pakdaman, J. Stat. Phys.
138, 270 (2010), doi:10.1007/s10955-009-9908-9). What is left of R beyond is chance, and shrinks as 1/√N.
"""

from __future__ import annotations

import argparse

import numpy as np

import emerge

COUPLING = 2.0
NOISES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5)


def main() -> None:
    """Print coherence for each intensity of noise, beside theory."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--agents", type=int, default=1000, help="how many [1000]")
    asked.add_argument("--seed", type=int, default=1, help="of phases and noise [1]")
    wanted = asked.parse_args()
    print(f"{wanted.agents} agents, coupling {COUPLING}: noise parts them from D = {COUPLING / 2} on\n")
    print("noise D   R measured   R in theory")
    for noise in NOISES:
        print(f"{noise:7.1f}   {measured(noise, wanted.agents, wanted.seed):10.3f}   {theory(noise):11.3f}")


def measured(noise: float, agents: int, seed: int) -> float:
    """Return coherence over time, after the swarm has settled."""
    model = emerge.Kuramoto(coupling=COUPLING, noise=noise, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(agents), model, phase=0.0, seed=seed)
    swarm.run(40.0, dt=0.04, method="heun")
    history = swarm.run(40.0, dt=0.04, method="heun", record="coherence").history
    assert history is not None
    return float(history.coherence.mean())


def theory(noise: float) -> float:
    """Iterate R = ∫ cos θ p(θ) dθ with the stationary density p ~ exp(K R cos θ / D), from R = 1."""
    cosine = np.cos(np.linspace(0.0, 2 * np.pi, 400, endpoint=False))
    r = 1.0
    for _ in range(2000):
        density = np.exp(COUPLING * r / noise * (cosine - 1.0))
        r = float(np.sum(cosine * density) / np.sum(density))
    return r


if __name__ == "__main__":
    main()
