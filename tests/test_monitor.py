"""Metrics for Prometheus: the text is what swarms tell, and it is served on this machine only."""

import dataclasses
import gc
import os
import socket
import subprocess
import sys
import threading
from time import monotonic
from urllib.request import Request, urlopen

import pytest

import emerge
from emerge.monitor import HELP, SERIES

pytest.importorskip("prometheus_client", reason="extra metrics")
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as families_of

RECORDS = (emerge.Metrics, emerge.LiveMetrics)


def swarm(n=1000, **more):
    web = emerge.Topology.small_world(n, degree=6, rewire=0.2, seed=1)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), seed=1, **more)


def monitor_of(*swarms, **named):
    monitor = emerge.Monitor()
    for one in swarms:
        monitor.watch(one)
    for name, one in named.items():
        monitor.watch(one, name)
    return monitor


def values(text, name="swarm"):
    """Values by series, of one name."""
    samples = [sample for family in families_of(text) for sample in family.samples]
    chosen = [sample for sample in samples if sample.labels == {"swarm": name}]
    assert len({sample.name for sample in chosen}) == len(chosen)
    return {sample.name: sample.value for sample in chosen}


def expected(*records):
    """Values by series, as records tell them."""
    return {
        series + ("_total" if kind == "counter" else ""): float(getattr(record, field))
        for record in records
        for field, (kind, series) in SERIES[type(record)].items()
    }


def fetch(url, **headers):
    with urlopen(Request(url, headers=headers), timeout=30) as page:
        return page.read().decode()


def running(one, batches=2):
    """Let a swarm run in another thread; give it with what ends it, once it has done some batches."""
    token = emerge.CancelToken()
    thread = threading.Thread(target=one.run, args=(1e9,), kwargs={"cancel": token})
    thread.start()
    deadline = monotonic() + 60
    while one.metrics().batches < batches and monotonic() < deadline:
        pass
    assert one.metrics().batches >= batches

    def end():
        token.cancel()
        thread.join(60)
        assert not thread.is_alive()

    return end


class TestTable:
    @pytest.mark.parametrize("record", RECORDS)
    def test_every_field_has_a_series_and_a_meaning(self, record):
        fields = [field.name for field in dataclasses.fields(record)]
        assert list(SERIES[record]) == fields
        assert all(HELP[record][field].endswith(".") for field in fields)

    def test_names(self):
        rows = [row for record in RECORDS for row in SERIES[record].values()]
        assert len({series for _, series in rows}) == len(rows)
        for kind, series in rows:
            assert kind in ("counter", "gauge")
            assert series.startswith("emerge_")
            assert not series.endswith("_total")


class TestText:
    def test_is_what_the_swarm_tells(self):
        one = swarm()
        monitor = monitor_of(one)
        with one.events.subscribe(maxsize=2):
            one.run(0.5)
            one.nudge([1, 900], 0.1)
            one.step(3)
            one.topology = emerge.Topology.complete(1000)
            text, told = monitor.text(), one.metrics()
        assert (told.ticks, told.inbox_hits, told.graph_swaps, told.events_waiting) == (53, 2, 1, 2)
        assert told.events_dropped > 0
        assert values(text) == expected(told)

    def test_kinds_and_meanings_are_in_it(self):
        one = swarm()
        families = {family.name: family for family in families_of(monitor_of(one).text())}
        assert len(families) == len(SERIES[emerge.Metrics])
        for field, (kind, series) in SERIES[emerge.Metrics].items():
            assert families[series].type == kind
            assert families[series].documentation == HELP[emerge.Metrics][field]
        assert families["emerge_join_wait_seconds"].documentation.startswith("Seconds that workers waited")

    def test_it_is_read_when_it_is_asked_for(self):
        one = swarm()
        monitor = monitor_of(one)
        before = monitor.text()
        one.step(7)
        assert values(before)["emerge_ticks_total"] == 0.0
        assert values(monitor.text())["emerge_ticks_total"] == 7.0

    def test_nothing_watched(self):
        assert emerge.Monitor().text() == ""

    def test_several_swarms(self):
        one, two = swarm(), swarm(500)
        monitor = monitor_of(one=one, two=two)
        one.step(3), two.step(5)
        text = monitor.text()
        assert values(text, "one") == expected(one.metrics())
        assert values(text, "two") == expected(two.metrics())
        assert text.count("# TYPE emerge_ticks_total") == 1
        assert repr(monitor) == "Monitor(one, two)"

    def test_any_printable_name(self):
        one = swarm()
        name = 'a "quoted" \\ name, König'
        assert values(monitor_of(**{name: one}).text(), name) == expected(one.metrics())

    def test_it_does_not_wait_for_a_turn(self):
        """Inside a batch, which holds the swarm's turn: whoever waited for it would wait for ever."""
        one = swarm()
        one.step(4)
        engine, monitor = one._engine, monitor_of(one)
        engine.enter(3, 1)
        try:
            inside = monitor.text()
            engine.member(0, 1)
        finally:
            engine.leave()
        assert values(inside)["emerge_ticks_total"] == 4.0
        assert values(monitor.text())["emerge_ticks_total"] == 7.0


class TestWatching:
    def test_a_name_taken_twice(self):
        one, two = swarm(), swarm(10)
        monitor = monitor_of(one)
        with pytest.raises(emerge.InvalidValue, match="'swarm' already: choose another name or unwatch"):
            monitor.watch(two)
        monitor.unwatch()
        monitor.watch(two)
        assert values(monitor.text()) == expected(two.metrics())

    def test_unwatched(self):
        one, two = swarm(), swarm()
        monitor = monitor_of(one=one, two=two)
        monitor.unwatch("one")
        assert values(monitor.text(), "one") == {}
        with pytest.raises(emerge.InvalidValue, match="no swarm is watched as 'one': those that are watched are 'two'"):
            monitor.unwatch("one")
        monitor.unwatch("two")
        assert monitor.text() == ""

    def test_a_swarm_that_is_gone(self):
        one = swarm()
        monitor = monitor_of(one)
        assert monitor.text()
        del one
        gc.collect()
        assert monitor.text() == ""
        assert repr(monitor) == "Monitor(nothing watched)"
        other = swarm()
        monitor.watch(other)
        assert values(monitor.text()) == expected(other.metrics())

    @pytest.mark.parametrize(
        ("arguments", "error", "says"),
        [
            (("web",), emerge.InvalidType, "emerge.Swarm, not 'web'"),
            ((None, 5), emerge.InvalidType, "name must be a str, not 5"),
            ((None, ""), emerge.InvalidValue, "not empty"),
            ((None, "two\nlines"), emerge.InvalidValue, "printable"),
            ((None, "\ud800"), emerge.InvalidValue, "printable"),
        ],
    )
    def test_bad_input(self, arguments, error, says):
        first, *others = arguments
        monitor = emerge.Monitor()
        with pytest.raises(error, match=says):
            monitor.watch(swarm(10) if first is None else first, *others)
        assert monitor.text() == ""

    def test_loops_that_are_none(self):
        one, two = swarm(10), swarm(10)
        monitor = emerge.Monitor()
        with pytest.raises(emerge.InvalidType, match=r"what swarm\.live\(\)"):
            monitor.watch(one, live=True)
        with pytest.raises(emerge.InvalidValue, match="another swarm's"):
            monitor.watch(one, live=two.live(interval=0.1))


class TestLive:
    def test_a_loop_is_told_of(self):
        clock = emerge.ManualClock()
        one = swarm(100)
        monitor = emerge.Monitor()
        with one.live(interval=0.1, clock=clock) as live:
            monitor.watch(one, live=live)
            with monitor.serve() as server:
                live.settle(timeout=30)
                clock.advance(0.35)
                live.settle(timeout=30)
                live.pause().result(timeout=30)
                live.settle(timeout=30)
                told = values(fetch(server.url))
                assert told == expected(one.metrics(), live.metrics())
                assert (told["emerge_live_ticks_total"], told["emerge_live_paused"]) == (3.0, 1.0)
                assert (told["emerge_live_commands_total"], told["emerge_threads"]) == (1.0, 1.0)
        assert values(monitor.text())["emerge_threads"] == 0.0
        del live
        gc.collect()
        assert values(monitor.text()) == expected(one.metrics())


class TestServer:
    def test_during_a_run(self):
        one = swarm(3000)
        monitor = monitor_of(one)
        end = running(one)
        try:
            with monitor.serve() as server:
                seen = [values(fetch(server.url)) for _ in range(20)]
        finally:
            end()
        counted = [told["emerge_ticks_total"] for told in seen]
        assert counted == sorted(counted)
        assert counted[0] > 0
        assert max(told["emerge_threads"] for told in seen) >= 1
        assert one.check() == ()

    def test_scraping_changes_nothing(self):
        one, two = swarm(3000), swarm(3000)
        one.run(20.0)
        with monitor_of(two).serve() as server:
            thread = threading.Thread(target=two.run, args=(20.0,))
            thread.start()
            while thread.is_alive():
                fetch(server.url)
            thread.join()
        assert one.phase.tobytes() == two.phase.tobytes()

    def test_on_this_machine_only(self):
        with monitor_of().serve() as server:
            assert server.url == f"http://127.0.0.1:{server.port}/metrics"
            assert server._listener.socket.getsockname() == ("127.0.0.1", server.port)
            assert repr(server) == f"MetricsServer({server.url})"
            assert fetch(server.url) == ""

    def test_formats(self):
        one = swarm()
        one.step(2)
        with monitor_of(one).serve() as server:
            page = fetch(server.url, Accept="application/openmetrics-text; version=1.0.0")
            families = {family.name: family for family in openmetrics.text_string_to_metric_families(page)}
            assert families["emerge_ticks"].samples[0].value == 2.0
            chosen = fetch(f"{server.url}?name[]=emerge_ticks_total")
        assert values(chosen) == {"emerge_ticks_total": 2.0}

    def test_many_at_once(self):
        one = swarm()
        got = []
        with monitor_of(one).serve() as server:
            threads = [threading.Thread(target=lambda: got.append(fetch(server.url))) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        assert len(got) == 20
        assert {frozenset(values(text).items()) for text in got} == {frozenset(expected(one.metrics()).items())}

    def test_a_chosen_port(self):
        monitor = monitor_of()
        with monitor.serve() as server:
            port = server.port
        with monitor.serve(port) as again:
            assert again.port == port

    def test_a_port_in_use(self):
        monitor = monitor_of()
        with monitor.serve() as server:
            with pytest.raises(emerge.Unavailable, match=f"port {server.port} of .* cannot be had .*or 0") as told:
                monitor.serve(server.port)
            assert isinstance(told.value, OSError)
            with monitor.serve() as other:
                assert other.port != server.port

    @pytest.mark.parametrize("port", [-1, 65536, 10**30])
    def test_a_port_out_of_range(self, port):
        with pytest.raises(emerge.InvalidValue, match="port must be from 0 to 65535"):
            emerge.Monitor().serve(port)

    @pytest.mark.parametrize("port", ["9100", 9100.0, None, True])
    def test_no_port(self, port):
        with pytest.raises(emerge.InvalidType, match="port must be a whole number"):
            emerge.Monitor().serve(port)

    def test_closed(self):
        monitor = monitor_of()
        server = monitor.serve()
        url = server.url
        server.close()
        server.close()
        assert repr(server) == "MetricsServer(closed)"
        for use in (lambda: server.url, lambda: server.port, server.__enter__):
            with pytest.raises(emerge.Closed, match=r"make another with Monitor.serve\(\)"):
                use()
        with pytest.raises(OSError, match="refused"):
            fetch(url)
        with monitor.serve() as other:
            assert fetch(other.url) == ""


class TestNothingStays:
    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system must tell which files are open")
    def test_threads_and_sockets(self):
        one = swarm()
        monitor = monitor_of(one)
        threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            with monitor.serve() as server:
                fetch(server.url)
                assert threading.active_count() > threads
            assert threading.active_count() == threads
        assert len(os.listdir("/proc/self/fd")) == files

    def test_whoever_asks_nothing_is_cut_off(self):
        server = monitor_of().serve()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as silent:
            fetch(server.url)  # so that the silent one was accepted before
            server.close()
            assert silent.recv(100) == b""

    def test_requests_that_are_over_are_forgotten(self):
        with monitor_of().serve() as server:
            for _ in range(50):
                fetch(server.url)
            deadline = monotonic() + 30
            while len(server._listener._requests) > 3 and monotonic() < deadline:
                fetch(server.url)
            assert len(server._listener._requests) <= 3

    def test_rubbish_harms_nobody(self, capfd):
        one = swarm()
        with monitor_of(one).serve() as server:
            for rubbish in (b"\0\xff\r\n\r\n", b"GET", b"POST /metrics HTTP/1.1\r\n\r\n", b"x" * 100_000):
                with socket.create_connection(("127.0.0.1", server.port), timeout=30) as rude:
                    rude.sendall(rubbish)
            assert values(fetch(server.url)) == expected(one.metrics())
        assert capfd.readouterr().err == ""

    def test_a_server_that_nobody_closes_ends_with_the_interpreter(self):
        done = process(
            "import emerge\n"
            "from urllib.request import urlopen\n"
            "monitor = emerge.Monitor()\n"
            "server = monitor.serve()\n"
            "print(urlopen(server.url, timeout=30).status)\n"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "200\n", "")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is needed")
    def test_a_child_does_not_hold_the_port(self):
        done = process(
            "import os, emerge\n"
            "monitor = emerge.Monitor()\n"
            "server = monitor.serve()\n"
            "port = server.port\n"
            "here, there = os.pipe()\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    server.close()\n"
            "    os.read(here, 1)\n"
            "    os._exit(0 if repr(server) == 'MetricsServer(closed)' else 1)\n"
            "server.close()\n"
            "monitor.serve(port).close()\n"
            "os.write(there, b'x')\n"
            "print(os.waitpid(child, 0)[1])\n",
            "-Wignore::DeprecationWarning",
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def process(code, *options):
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=60)


def test_without_docstrings():
    done = process("import emerge; print(len(emerge.Monitor().text()))", "-OO")
    assert (done.returncode, done.stdout) == (0, "0\n")


def test_missing_extra():
    done = process(
        "import sys; sys.modules['prometheus_client'] = None\n"
        "import emerge\n"
        "try: emerge.Monitor()\n"
        "except emerge.MissingExtra as error: print(error)\n"
    )
    assert done.stdout == (
        "monitoring needs prometheus_client, which is not installed: pip install 'emerge-swarm[metrics]'\n"
    )


def test_only_who_serves_pays_for_it():
    done = process("import sys, emerge; print('prometheus_client' in sys.modules, 'wsgiref' in sys.modules)")
    assert done.stdout == "False False\n"
