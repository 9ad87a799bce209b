"""What a swarm tells of its own running."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Metrics"]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts since a swarm was made; made by `Swarm.metrics`.

    Attributes
    ----------
    ticks : int
        Ticks done.
    batches : int
        Batches they were done in; between two Python has its turn.
    seconds : float
        Wall-clock time inside batches.
    rate : float
        Agents updated per second inside batches.
    workers : int
        Size of the last team, as it was measured; 0 before the first tick.
    join_wait : float
        Seconds that workers waited for others at joins, all workers together.
    steals : int
        Times that a worker took blocks from another.
    retries : int
        Times that a worker tried to take blocks by compare-and-swap and another came first.
    inbox_hits : int
        Times that a block found something in its inbox.
    batched : int
        Nudges that came through batchers.
    graph_swaps : int
        Times that the topology was changed.
    memory : int
        Bytes that the engine holds for the swarm, its topology counted once.
    """

    ticks: int
    batches: int
    seconds: float
    rate: float
    workers: int
    join_wait: float
    steals: int
    retries: int
    inbox_hits: int
    batched: int
    graph_swaps: int
    memory: int
