"""emerge: swarms of coupled phase oscillators that fall into step, or out of it, with nobody in charge.

Say who senses whom (`Topology`), how agents answer (`Kuramoto`), and run the `Swarm`:

>>> import emerge
>>> web = emerge.Topology.small_world(1000, degree=10, rewire=0.2, seed=7)
>>> swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=2.0), seed=7)
>>> swarm.run(200.0, until=emerge.coherent(0.95)).reason
'reached'
"""

from .about import About, about
from .atomic import AtomicArray
from .barrier import PhaseBarrier
from .batch import Batcher
from .errors import (
    BrokenBarrier,
    Busy,
    CheckpointError,
    Closed,
    Diverged,
    EmergeError,
    Full,
    GraphError,
    GraphFileError,
    InvalidType,
    InvalidValue,
    MissingExtra,
    TooLarge,
)
from .metrics import Metrics
from .model import Kuramoto
from .progress import Progress
from .result import History, RunResult
from .swarm import Swarm
from .topology import Topology
from .until import Coherent, Locked, coherent, locked

__version__ = "0.1.0"

__all__ = [
    "About",
    "AtomicArray",
    "Batcher",
    "BrokenBarrier",
    "Busy",
    "CheckpointError",
    "Closed",
    "Coherent",
    "Diverged",
    "EmergeError",
    "Full",
    "GraphError",
    "GraphFileError",
    "History",
    "InvalidType",
    "InvalidValue",
    "Kuramoto",
    "Locked",
    "Metrics",
    "MissingExtra",
    "PhaseBarrier",
    "Progress",
    "RunResult",
    "Swarm",
    "TooLarge",
    "Topology",
    "about",
    "coherent",
    "locked",
]
