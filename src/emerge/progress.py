"""Watching a run: what is told between batches, and the bar that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from . import admit
from .errors import InvalidType

__all__ = ["Progress", "Watcher", "watching"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; given to the callable that `Swarm.run` got as `progress`.

    Attributes
    ----------
    time : float
        Time of the swarm.
    ticks, ticks_max : int
        Ticks done, and ticks after which the run ends at the latest.
    coherence : float
        Coherence R in [0, 1].
    rate : float
        Agents updated per second of wall-clock time so far.
    eta : float
        Seconds until the latest end, at that rate.
    """

    time: float
    ticks: int
    ticks_max: int
    coherence: float
    rate: float
    eta: float


Watcher = Callable[[Progress], object]


def watching(progress: bool | Watcher) -> AbstractContextManager[Watcher | None]:
    """Give the callable to tell, for what the user passed as `progress`: none, a bar, or their own."""
    if progress is False:
        return nullcontext()
    if progress is True:
        return _bar()
    if callable(progress):
        return nullcontext(progress)
    raise InvalidType(f"progress must be True, False or a callable, not {progress!r}")


@contextmanager
def _bar() -> Iterator[Watcher]:
    rich = admit.extra("rich.progress", "cli", "a progress bar")
    columns: tuple[Any, ...] = (
        rich.BarColumn(bar_width=28),
        rich.TaskProgressColumn(),
        rich.TextColumn("t = {task.fields[time]:.5g}"),
        rich.TextColumn("[bold]R = {task.fields[coherence]:.4f}"),
        rich.TextColumn("{task.fields[rate]:.3g} updates/s"),
        rich.TextColumn("ETA {task.fields[eta]}"),
    )
    console = admit.extra("rich.console", "cli", "a progress bar").Console(stderr=True)
    with rich.Progress(*columns, console=console, auto_refresh=False) as bar:  # no thread of its own
        task = bar.add_task("", total=None, time=0.0, coherence=0.0, rate=0.0, eta="–")

        def show(now: Progress) -> None:
            bar.update(
                task,
                completed=now.ticks,
                total=now.ticks_max,
                time=now.time,
                coherence=now.coherence,
                rate=now.rate,
                eta=_clock(now.eta),
                refresh=True,
            )

        yield show


def _clock(seconds: float) -> str:
    """Seconds as 0:07, 12:34 or 5:43:21."""
    minutes, second = divmod(max(0, round(seconds)), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"
