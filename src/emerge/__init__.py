"""emerge: swarms of coupled phase oscillators that fall into step, or out of it, with nobody in charge.

Say who senses whom (`Topology`), how agents answer (`Kuramoto`), and run the `Swarm`:

>>> import emerge
>>> web = emerge.Topology.small_world(1000, degree=10, rewire=0.2, seed=7)
>>> swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=2.0), seed=7)
>>> swarm.run(200.0, until=emerge.coherent(0.95)).reason
'reached'
"""

import typing

from .about import About, about
from .adaptive import AntiHebbian, Hebbian
from .atomic import AtomicArray
from .barrier import PhaseBarrier
from .batch import Batcher
from .broadcast import Broadcaster, Subscription
from .cancel import CancelToken
from .clock import ManualClock
from .connectome import Connectome
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
    Infeasible,
    InvalidType,
    InvalidValue,
    MissingExtra,
    TooLarge,
    Unavailable,
)
from .event import (
    Converged,
    Disrupted,
    Event,
    Failed,
    Lost,
    Restored,
    Started,
    Stopped,
    Ticked,
    TopologyChanged,
)
from .higher import HigherOrder, Simplicial
from .live import Command, Live
from .metrics import LiveMetrics, Metrics
from .model import Custom, Energy, Forced, Kuramoto, SecondOrder
from .moments import Moment, Moments
from .monitor import MetricsServer, Monitor
from .progress import Progress
from .pulse import IntegrateAndFire, PhaseResponse
from .result import History, RunResult, Series
from .swarm import Swarm
from .topology import Topology
from .trace import trace
from .until import Coherent, Locked, coherent, locked
from .varying import Varying, varying

if typing.TYPE_CHECKING:
    from . import observe as observe
    from .grid import PowerGrid
    from .machines import Machines
    from .trips import Trip

__version__ = "0.1.0"

__all__ = [
    "About",
    "AntiHebbian",
    "AtomicArray",
    "Batcher",
    "Broadcaster",
    "BrokenBarrier",
    "Busy",
    "CancelToken",
    "CheckpointError",
    "Closed",
    "Coherent",
    "Command",
    "Connectome",
    "Converged",
    "Custom",
    "Disrupted",
    "Diverged",
    "EmergeError",
    "Energy",
    "Event",
    "Failed",
    "Forced",
    "Full",
    "GraphError",
    "GraphFileError",
    "Hebbian",
    "HigherOrder",
    "History",
    "Infeasible",
    "IntegrateAndFire",
    "InvalidType",
    "InvalidValue",
    "Kuramoto",
    "Live",
    "LiveMetrics",
    "Locked",
    "Lost",
    "Machines",
    "ManualClock",
    "Metrics",
    "MetricsServer",
    "MissingExtra",
    "Moment",
    "Moments",
    "Monitor",
    "PhaseBarrier",
    "PhaseResponse",
    "PowerGrid",
    "Progress",
    "Restored",
    "RunResult",
    "SecondOrder",
    "Series",
    "Simplicial",
    "Started",
    "Stopped",
    "Subscription",
    "Swarm",
    "Ticked",
    "TooLarge",
    "Topology",
    "TopologyChanged",
    "Trip",
    "Unavailable",
    "Varying",
    "about",
    "coherent",
    "locked",
    "trace",
    "varying",
]


_LATE = {"Machines": "machines", "PowerGrid": "grid", "Trip": "trips", "observe": "observe"}
"""Names that are imported when they are first used, since not every program needs them, and their modules."""


def __getattr__(name: str) -> typing.Any:
    """Import what is seldom needed when it is first named."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f".{_LATE[name]}", __name__)
    return module if name == _LATE[name] else getattr(module, name)


def __dir__() -> list[str]:
    """List what is imported late as well."""
    return sorted({*globals(), *_LATE})
