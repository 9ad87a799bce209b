"""What a swarm tells of its own running."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LiveMetrics", "Metrics"]


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
    nudges_waiting : int
        Nudges in batchers.
    graph_swaps : int
        Times that the topology was changed.
    subscribers : int
        Subscriptions to events that are open.
    events_waiting : int
        Events in their buffers.
    events_fill : float
        Share of the fullest of these buffers that is taken, from 0 to 1.
    events_dropped : int
        Events that found a buffer full.
    callback_failures : int
        Times that a callback for an event raised.
    threads : int
        Threads at work for it at this moment: the team of a batch that is going on, or a live loop between two ticks.
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
    nudges_waiting: int
    graph_swaps: int
    subscribers: int
    events_waiting: int
    events_fill: float
    events_dropped: int
    callback_failures: int
    threads: int
    memory: int


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """Counts of a live loop since it began; made by `Live.metrics`.

    Attributes
    ----------
    ticks : int
        Ticks done.
    late : int
        Ticks that began when the next one was due already.
    skipped : int
        Ticks that were never done, as more than `catch_up` were due.
    jitter_p50, jitter_p99 : float
        Seconds by which ticks began after their time: median and 99th percentile of the last 4096.
    jitter_worst : float
        The longest of all.
    commands : int
        Commands applied, those that failed among them.
    command_failures : int
        Commands that raised.
    commands_waiting : int
        Commands that were sent and not yet applied.
    paused : bool
        Whether it is paused.
    """

    ticks: int
    late: int
    skipped: int
    jitter_p50: float
    jitter_p99: float
    jitter_worst: float
    commands: int
    command_failures: int
    commands_waiting: int
    paused: bool
