"""The page: every number on it comes from the records and from what was measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from . import delays, fields, networks, noise, pairs, pulses
from .row import Row, Value

TOPICS: dict[str, tuple[str, str, tuple[Row, ...]]] = {
    "pairs": ("Two agents", "gaps, beats, orders of integrators and swings of two agents", pairs.ROWS),
    "networks": ("Networks", "decay, twisted states, power flow and onset on networks", networks.ROWS),
    "noise": ("Chance", "random phases, diffusion and coherence with noise", noise.ROWS),
    "delays": ("Delays", "frequency and coherence of agents that sense each other late", delays.ROWS),
    "fields": ("Mean fields", "coherence against coupling, lag, time, triads and inertia", fields.ROWS),
    "pulses": ("Pulses", "clusters of agents that fire, over time", pulses.ROWS),
}
"""Heading, what the picture shows, and the records of each topic."""

ROWS = tuple(row for _, _, rows in TOPICS.values() for row in rows)

SOURCES = {
    "Adler 1946": "R. Adler, Proc. IRE 34, 351, doi:10.1109/JRPROC.1946.229930",
    "Arenas 2006": "A. Arenas, A. Díaz-Guilera, C. Pérez-Vicente, Phys. Rev. Lett. 96, 114102,"
    " doi:10.1103/PhysRevLett.96.114102",
    "Bertini 2010": "L. Bertini, G. Giacomin, K. Pakdaman, J. Stat. Phys. 138, 270, doi:10.1007/s10955-009-9908-9",
    "Dörfler 2013": "F. Dörfler, M. Chertkov, F. Bullo, PNAS 110, 2005, doi:10.1073/pnas.1212134110",
    "Earl 2003": "M. Earl, S. Strogatz, Phys. Rev. E 67, 036204, doi:10.1103/PhysRevE.67.036204",
    "Einstein 1905": "A. Einstein, Ann. Phys. 322, 549, doi:10.1002/andp.19053220806",
    "Filatrella 2008": "G. Filatrella, A. Nielsen, N. Pedersen, Eur. Phys. J. B 61, 485,"
    " doi:10.1140/epjb/e2008-00098-8",
    "Hairer 1993": "E. Hairer, S. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, Springer,"
    " doi:10.1007/978-3-540-78862-1",
    "Ichinomiya 2004": "T. Ichinomiya, Phys. Rev. E 70, 026116, doi:10.1103/PhysRevE.70.026116",
    "Josz 2016": "C. Josz, S. Fliscounakis, J. Maeght, P. Panciatici, arXiv:1603.01533",
    "Kuramoto 1975": "Y. Kuramoto, Lect. Notes Phys. 39, 420, doi:10.1007/BFb0013365",
    "Mirollo 1990": "R. Mirollo, S. Strogatz, SIAM J. Appl. Math. 50, 1645, doi:10.1137/0150098",
    "Rayleigh 1880": "Lord Rayleigh, Philos. Mag. 10, 73, doi:10.1080/14786448008626893",
    "Sakaguchi 1986": "H. Sakaguchi, Y. Kuramoto, Prog. Theor. Phys. 76, 576, doi:10.1143/PTP.76.576",
    "Skardal 2020": "P. Skardal, A. Arenas, Commun. Phys. 3, 218, doi:10.1038/s42005-020-00485-0",
    "Strogatz 1991": "S. Strogatz, R. Mirollo, J. Stat. Phys. 63, 613, doi:10.1007/BF01029202",
    "Strogatz 2000": "S. Strogatz, Physica D 143, 1, doi:10.1016/S0167-2789(00)00094-4",
    "Tanaka 1997": "H. Tanaka, A. Lichtenberg, S. Oishi, Phys. Rev. Lett. 78, 2104, doi:10.1103/PhysRevLett.78.2104",
    "Tsimring 2005": "L. Tsimring, N. Rulkov, M. Larsen, M. Gabbay, Phys. Rev. Lett. 95, 014101,"
    " doi:10.1103/PhysRevLett.95.014101",
    "Wiley 2006": "D. Wiley, S. Strogatz, M. Girvan, Chaos 16, 015103, doi:10.1063/1.2165594",
    "Yeung 1999": "M. Yeung, S. Strogatz, Phys. Rev. Lett. 82, 648, doi:10.1103/PhysRevLett.82.648",
    "Zachary 1977": "W. Zachary, J. Anthropol. Res. 33, 452, doi:10.1086/jar.33.4.3629752",
}

TOP = """# Published results that the tests reproduce

Written by `make validate`, which measures every value and draws the pictures. `tests/test_references.py` holds the
engine to the same records (`validation/`) in every run: each value must be met within its tolerance, and missed by more
where the parameter in the last column of the first tables is changed (a factor is one of all couplings).

Frequencies are quantiles of their distribution, Fₖ = F⁻¹((k + ½)/N), so that finite-size scatter stays out; Lorentzian
tails are clipped at 200 widths. Where theory is for N → ∞ and says R = 0, the tolerance is what chance leaves of R.
"""

BOTTOM = """
## Notes

A1, A5, A11 and A16 hold with the same tolerance under every schedule. Under "gossip" and "ordered" a common frequency
is off by the first order of dt (`tests/test_schedules.py` shows that halving dt halves it).

`tests/test_observe.py` adds: the largest Lyapunov exponent of a locked swarm is ln(1 − dt·K·λ₂)/dt (10⁻⁶), that of ten
and twenty agents with evenly spaced frequencies is positive and that of the linearised map (10⁻⁴; phase chaos,
Popovych, Maistrenko & Tass, Phys. Rev. E 71, 065201 (2005), doi:10.1103/PhysRevE.71.065201); gaps of random phases give
1 − 1/e.

A10: an agent that senses itself late, too, is in the sums of the papers and not in ours: hence "weight", K/(N − 1).

A2: the time between the first and the last of many passings. A9: small swings, of .01 rad, around the gap. C1: R by
links is \\|Σ kᵢ e^{iθᵢ}\\| / Σ kᵢ; theory solves Ichinomiya's equation with the degrees of the graph that is run, so
that it lies a little below the mean field of a complete graph. C3: what is published are two branches, for agents
locked up to K R (coming down) and up to (4/π) √(K R/m) (going up; an approximation, good where K R m is large); both
are drawn. At which K coherence jumps up depends on N, and nothing is promised of it.

A16r needs two files that are not part of the project: `EMERGE_DATA` names their folder. Angles are 25.1° and 27.6° at
most. Relaxation and Newton's method are both those of `PowerGrid.power_flow`; `tests/test_matpower.py` has a solver of
its own, and under `make test-slow` a swarm without inertia on the smaller case ends within 10⁻⁸ rad of it.

## Sources

"""


def text(measured: Mapping[str, Sequence[float]]) -> str:
    """Return the page for what was measured, by the ids of the records."""
    parts = [TOP]
    for name, (heading, shown, rows) in TOPICS.items():
        parts.append(f"\n## {heading}\n\n![{shown}](validation-{name}.png)\n\n")
        parts.append("| id | result | source | parameters | `normalize` | missed with |\n|---|---|---|---|---|---|\n")
        parts += [_claim(row) for row in rows]
        parts.append("\n| id | value | published | measured | tolerance |\n|---|---|---|---|---|\n")
        parts += [
            _line(row.id, value, number)
            for row in rows
            for value, number in zip(row.values, measured[row.id], strict=True)
        ]
    return "".join(parts) + BOTTOM + "".join(f"- {name}: {full}\n" for name, full in SOURCES.items())


def written(page: str) -> dict[str, list[float]]:
    """Return what a page says was measured."""
    found: dict[str, list[float]] = {}
    for name, number in re.findall(r"^\| (\w+) \| [^|]+ \| [^| ]+ \| (-?\d[^| ]*) \| [^| ]+ \|$", page, flags=re.M):
        found.setdefault(name, []).append(float(number))
    return found


def _claim(row: Row) -> str:
    changed = ", ".join(f"{name} = {value}" for name, value in row.otherwise.items())
    return f"| {row.id} | {row.claim} | {row.source} | {row.parameters} | {row.normalize} | {changed} |\n"


def _line(name: str, value: Value, measured: float) -> str:
    """Show one digit more than the tolerance asks for; of a residual its size."""
    digits = math.ceil(-math.log10(value.tolerance)) + 1
    residual = value.expected == 0 and digits > 4
    shown = f"{measured:.1e}" if residual else f"{measured:.{digits}f}"
    expected = f"{value.expected:.{0 if residual else digits}f}"
    return f"| {name} | {value.name} | {expected} | {shown} | {value.tolerance:.2g} |\n"
