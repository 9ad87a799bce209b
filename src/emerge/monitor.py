"""What swarms tell of their running, as Prometheus reads it: text, or pages served on this machine.

Nothing is counted here: `Swarm.metrics` and `Live.metrics` are read whenever somebody asks. One table says how each
of their fields is called outside; what it means is taken from the docstrings of the records.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import threading
import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from . import admit
from .errors import Closed, InvalidType, InvalidValue
from .live import Live
from .metrics import LiveMetrics, Metrics
from .swarm import Swarm

if TYPE_CHECKING:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    from .scrape import Listener

    Family = CounterMetricFamily | GaugeMetricFamily

__all__ = ["MetricsServer", "Monitor"]

PORT_MAX = 2**16 - 1

Kind = Literal["counter", "gauge"]

SERIES: dict[type, dict[str, tuple[Kind, str]]] = {
    Metrics: {
        "ticks": ("counter", "emerge_ticks"),
        "batches": ("counter", "emerge_batches"),
        "seconds": ("counter", "emerge_batch_seconds"),
        "rate": ("gauge", "emerge_updates_per_second"),
        "workers": ("gauge", "emerge_workers"),
        "join_wait": ("counter", "emerge_join_wait_seconds"),
        "steals": ("counter", "emerge_steals"),
        "retries": ("counter", "emerge_retries"),
        "inbox_hits": ("counter", "emerge_inbox_hits"),
        "batched": ("counter", "emerge_batched"),
        "nudges_waiting": ("gauge", "emerge_nudges_waiting"),
        "graph_swaps": ("counter", "emerge_graph_swaps"),
        "subscribers": ("gauge", "emerge_subscribers"),
        "events_waiting": ("gauge", "emerge_events_waiting"),
        "events_fill": ("gauge", "emerge_events_fill_ratio"),
        "events_dropped": ("counter", "emerge_events_dropped"),
        "callback_failures": ("counter", "emerge_callback_failures"),
        "threads": ("gauge", "emerge_threads"),
        "memory": ("gauge", "emerge_memory_bytes"),
    },
    LiveMetrics: {
        "ticks": ("counter", "emerge_live_ticks"),
        "late": ("counter", "emerge_live_ticks_late"),
        "skipped": ("counter", "emerge_live_ticks_skipped"),
        "jitter_p50": ("gauge", "emerge_live_jitter_p50_seconds"),
        "jitter_p99": ("gauge", "emerge_live_jitter_p99_seconds"),
        "jitter_worst": ("gauge", "emerge_live_jitter_worst_seconds"),
        "commands": ("counter", "emerge_live_commands"),
        "command_failures": ("counter", "emerge_live_command_failures"),
        "commands_waiting": ("gauge", "emerge_live_commands_waiting"),
        "paused": ("gauge", "emerge_live_paused"),
    },
}
"""For each field of a record: its kind, and its name outside, to which counters get ``_total`` added."""


class Monitor:
    """Metrics of swarms and their live loops in the text format of Prometheus.

    Every field of `Metrics` is a series ``emerge_…``, of `LiveMetrics` ``emerge_live_…``, labelled ``swarm="name"``.
    Counters end in ``_total``, times are in seconds, memory in bytes.

    Raises
    ------
    MissingExtra
        If prometheus_client (extra ``metrics``) is not installed.

    Notes
    -----
    Values are read when they are asked for, without waiting for a tick: of a swarm that runs, they are those of the
    last batch of ticks, about 50 ms. O(swarms watched).

    Swarms and loops are held weakly, so keep them: one that is gone is told of no more, and its name is free.

    Thread safety: everything from any thread, also while the swarms run.

    Examples
    --------
    >>> import emerge
    >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
    >>> swarm.step(10)
    >>> monitor = emerge.Monitor()
    >>> monitor.watch(swarm, "ring")
    >>> print(monitor.text())
    # HELP emerge_ticks_total Ticks done.
    # TYPE emerge_ticks_total counter
    emerge_ticks_total{swarm="ring"} 10.0
    ...
    """

    def __init__(self) -> None:
        self._client = admit.extra("prometheus_client", "metrics", "monitoring")
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._registry = self._client.CollectorRegistry()
        self._registry.register(_Collector(self))

    def __repr__(self) -> str:
        return f"Monitor({', '.join(name for name, _ in self._told()) or 'nothing watched'})"

    def watch(self, swarm: Swarm, name: str = "swarm", *, live: Live | None = None) -> None:
        """Tell of a swarm from now on.

        Parameters
        ----------
        swarm : Swarm
            Which one.
        name : str, default "swarm"
            What it is called in the label ``swarm``: printable, and of no other that is watched.
        live : Live, optional
            A loop of this swarm, to be told of as well. For a new loop, `unwatch` and watch again.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is none of these, or the name is taken, or the loop is another swarm's.
        """
        if not isinstance(swarm, Swarm):
            raise InvalidType(f"swarm must be an emerge.Swarm, not {swarm!r}")
        if not isinstance(name, str):
            raise InvalidType(f"name must be a str, not {name!r}")
        if not name or not name.isprintable():
            raise InvalidValue(f"name must be printable and not empty, not {name!r}")
        if live is not None and not isinstance(live, Live):
            raise InvalidType(f"live must be what swarm.live() returned, not {live!r}")
        if live is not None and live._swarm is not swarm:
            raise InvalidValue("this live loop is another swarm's: watch that one")
        with self._lock:
            self._forget_gone()
            if name in self._watched:
                raise InvalidValue(f"a swarm is watched as {name!r} already: choose another name or unwatch that one")
            self._watched[name] = _Watched(swarm, live)

    def unwatch(self, name: str = "swarm") -> None:
        """Tell of a swarm no more.

        Parameters
        ----------
        name : str, default "swarm"
            What it was called.

        Raises
        ------
        InvalidValue
            If no swarm that exists is watched by this name.
        """
        with self._lock:
            self._forget_gone()
            if name not in self._watched:
                known = ", ".join(map(repr, self._watched)) or "none"
                raise InvalidValue(f"no swarm is watched as {name!r}: those that are watched are {known}")
            del self._watched[name]

    def text(self) -> str:
        """Return all values of this moment in the text format of Prometheus, version 0.0.4.

        Returns
        -------
        str
            Lines; empty if nothing is watched.
        """
        text: bytes = self._client.generate_latest(self._registry)
        return text.decode()

    def serve(self, port: int = 0) -> MetricsServer:
        """Serve the values to whoever asks on this machine, by http on 127.0.0.1 only.

        Parameters
        ----------
        port : int, default 0
            From 0 to 65535; 0 takes one that is free.

        Returns
        -------
        MetricsServer
            It answers until it is closed; use it in a ``with`` block.

        Raises
        ------
        InvalidType, InvalidValue
            If the port is no whole number in range.
        Unavailable
            If the port cannot be had, as another program listens there.

        Notes
        -----
        Several servers may stand beside each other. Each has a thread that sleeps until somebody asks, and one more
        for each request. One that is not closed ends with the interpreter. In a forked child it is closed.

        Examples
        --------
        >>> import emerge
        >>> from urllib.request import urlopen
        >>> swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
        >>> monitor = emerge.Monitor()
        >>> monitor.watch(swarm)
        >>> with monitor.serve() as server, urlopen(server.url, timeout=10) as page:
        ...     page.read().decode() == monitor.text()
        True
        """
        from .scrape import Listener  # only who serves pays for its import

        chosen = admit.count(port, "port", least=0, most=PORT_MAX)
        return MetricsServer(Listener(chosen, self._client.make_wsgi_app(self._registry)))

    def _forget_gone(self) -> None:
        """Drop the names of swarms that are gone; the lock is held."""
        self._watched = {name: one for name, one in self._watched.items() if one.swarm() is not None}

    def _told(self) -> Iterator[tuple[str, Metrics | LiveMetrics]]:
        """Yield what swarms and loops that still exist tell, with their names."""
        with self._lock:
            watched = list(self._watched.items())
        for name, one in watched:
            for record in one.records():
                yield name, record


class MetricsServer:
    """A web server of metrics on 127.0.0.1; made by `Monitor.serve`.

    Leaving its ``with`` block closes it.

    Notes
    -----
    Thread safety: everything from any thread.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __repr__(self) -> str:
        return f"MetricsServer({'closed' if self._listener.ending else self.url})"

    @property
    def port(self) -> int:
        """Port that it listens on; raises `Closed` when it does so no more."""
        self._refuse_closed()
        return self._listener.server_port

    @property
    def url(self) -> str:
        """Address of the page; raises `Closed` when there is none any more."""
        return f"http://{self._listener.server_name}:{self.port}/metrics"

    def close(self) -> None:
        """Stop listening, cut requests that are not answered yet, and wait for the threads; again does nothing."""
        self._listener.close()

    def __enter__(self) -> MetricsServer:
        self._refuse_closed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_closed(self) -> None:
        if self._listener.ending:
            raise Closed("this server of metrics is closed: make another with Monitor.serve()")


class _Watched:
    """A swarm and perhaps its loop, as long as they exist."""

    def __init__(self, swarm: Swarm, live: Live | None) -> None:
        self.swarm = weakref.ref(swarm)
        self.live = weakref.ref(live) if live is not None else None

    def records(self) -> Iterator[Metrics | LiveMetrics]:
        """Yield what they tell at this moment."""
        for source in (self.swarm(), self.live() if self.live is not None else None):
            if source is not None:
                yield source.metrics()


class _Collector:
    """What prometheus_client asks, whenever somebody scrapes."""

    def __init__(self, monitor: Monitor) -> None:
        core = admit.extra("prometheus_client.core", "metrics", "monitoring")
        self._monitor = monitor
        self._kinds = {"counter": core.CounterMetricFamily, "gauge": core.GaugeMetricFamily}

    def describe(self) -> list[Family]:
        """Return all series without values, so that a scraper may ask for some of them by name."""
        return list(self._families().values())

    def collect(self) -> list[Family]:
        """Return the series that have values."""
        families = self._families()
        for name, record in self._monitor._told():
            for field, (_, series) in SERIES[type(record)].items():
                families[series].add_metric([name], getattr(record, field))
        return [family for family in families.values() if family.samples]

    def _families(self) -> dict[str, Family]:
        return {
            series: self._kinds[kind](series, HELP[record][field], labels=["swarm"])
            for record, rows in SERIES.items()
            for field, (kind, series) in rows.items()
        }


def _explained(record: type) -> dict[str, str]:
    """Return what a record's docstring says of each of its fields: nothing where docstrings were left out."""
    told = dict.fromkeys((field.name for field in dataclasses.fields(record)), "")
    section = inspect.cleandoc(record.__doc__ or "").partition("Attributes\n----------\n")[2]
    for names, text in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?)+)", section, flags=re.M):
        told.update(dict.fromkeys(names.split(", "), " ".join(text.split())))
    return told


HELP = {record: _explained(record) for record in SERIES}
"""What each field means, as its record says."""
