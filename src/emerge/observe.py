"""Order parameters and other measures of a swarm, on arrays and while it runs.

Functions take phases, or what was recorded, as arrays. Observers are values that say what a run records and how often;
their methods ``above``, ``below`` and ``settled`` make conditions that a run can wait for.

>>> import emerge
>>> from emerge import observe
>>> web = emerge.Topology.small_world(200, degree=10, rewire=0.2, seed=7)
>>> swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=2.0), seed=7)
>>> record = {"r": observe.OrderParameter(every=0.1), "local": observe.LocalOrder(every=5.0)}
>>> result = swarm.run(100.0, record=record, until=observe.LinkOrder(every=0.5).above(0.9))
>>> result.reason, result.history["local"].value.shape[1]
('reached', 200)
"""

from __future__ import annotations

from .firings import Firings
from .lyapunov import lyapunov
from .measure import group_order, link_order, local_order, order_parameter, splay, winding_number
from .observer import Observer
from .samples import (
    Displacement,
    GroupOrder,
    LinkOrder,
    LocalOrder,
    OrderParameter,
    Phases,
    Splay,
    Strengths,
    WindingNumber,
)
from .series import (
    chimera_index,
    displacement,
    effective_frequency,
    frequency_clusters,
    link_coherence,
    metastability,
    phase_locking,
    plateau,
)
from .totals import ChimeraIndex, EffectiveFrequency, LinkCoherence, Metastability, PhaseLocking
from .until import Above, Below, Condition, Settled

__all__ = [
    "Above",
    "Below",
    "ChimeraIndex",
    "Condition",
    "Displacement",
    "EffectiveFrequency",
    "Firings",
    "GroupOrder",
    "LinkCoherence",
    "LinkOrder",
    "LocalOrder",
    "Metastability",
    "Observer",
    "OrderParameter",
    "PhaseLocking",
    "Phases",
    "Settled",
    "Splay",
    "Strengths",
    "WindingNumber",
    "chimera_index",
    "displacement",
    "effective_frequency",
    "frequency_clusters",
    "group_order",
    "link_coherence",
    "link_order",
    "local_order",
    "lyapunov",
    "metastability",
    "order_parameter",
    "phase_locking",
    "plateau",
    "splay",
    "winding_number",
]
