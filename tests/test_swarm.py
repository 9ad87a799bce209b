"""The swarm: state in and out, poking it from other threads, keeping it in files."""

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import numpy as np
import oracle
import pytest

import emerge
from emerge import _engine

TURN = 2 * np.pi
STILL = emerge.Kuramoto(coupling=0.0)


def small(n=100, coupling=1.0, **more):
    more.setdefault("seed", 1)
    return emerge.Swarm(emerge.Topology.ring(n, degree=4), emerge.Kuramoto(coupling=coupling), **more)


def hard(n=2000, **more):
    """A swarm with frequencies of its own, on several blocks."""
    rng = np.random.default_rng(2)
    more.setdefault("seed", 3)
    web = emerge.Topology.small_world(n, degree=8, rewire=0.2, seed=4)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=2.0), frequency=rng.normal(0, 0.3, n), **more)


class TestState:
    def test_phases_are_wrapped_and_handed_out_as_copies(self):
        given = [-0.1, TURN, 7.0, 1e9, -1e5]
        swarm = small(5, phase=given)
        assert swarm.phase == pytest.approx(np.mod(given, TURN), abs=1e-10)
        swarm.phase[0] = 3.0
        assert swarm.phase[0] != 3.0

    def test_phases_in_range_come_back_to_the_bit(self):
        phase = np.random.default_rng(1).uniform(0, TURN, 1000)
        assert np.array_equal(small(1000, phase=phase).phase, phase)

    def test_assignment(self):
        swarm = small(10)
        swarm.phase = 1.5
        swarm.frequency = np.arange(10)
        swarm.model = emerge.Kuramoto(coupling=0.0)
        swarm.step(dt=0.5)
        assert swarm.phase == pytest.approx(np.mod(1.5 + 0.5 * np.arange(10), TURN))
        assert swarm.frequency.tolist() == list(range(10))

    def test_assigned_arrays_are_not_kept(self):
        mine = np.ones(10)
        swarm = small(10, phase=mine, frequency=mine)
        mine[:] = 2.0
        assert np.all(swarm.phase == 1.0)
        assert np.all(swarm.frequency == 1.0)

    def test_what_is_no_attribute_cannot_be_set(self):
        swarm = emerge.Swarm(emerge.Topology.ring(5), emerge.Kuramoto(1.0), seed=1)
        for name in ("coupling", "phases", "adaptt"):
            with pytest.raises(AttributeError, match=name):
                setattr(swarm, name, 2.0)

    def test_tell_themselves(self):
        ring, model = emerge.Topology.ring(5), emerge.Kuramoto(1.0)
        start = "Swarm(5 agents, Kuramoto(coupling=1.0, lag=0.0, normalize='weight')"
        assert repr(emerge.Swarm(ring, model, seed=1)) == f"{start}, t = 0)"
        assert repr(emerge.Swarm(ring, model, seed=1, delay=2.5)) == f"{start}, delay up to 2.5, t = 0)"
        stored = emerge.Topology.from_edges(ring.edges)
        assert "Hebbian(rate=0.1" in repr(emerge.Swarm(stored, model, seed=1, adapt=emerge.Hebbian(rate=0.1)))

    def test_coherence_and_mean_phase(self):
        swarm = small(1000)
        assert swarm.coherence == pytest.approx(oracle.coherence(swarm.phase), abs=1e-14)
        swarm.phase = 4.0
        assert swarm.coherence == pytest.approx(1.0)
        assert swarm.mean_phase == pytest.approx(4.0)

    def test_topology_can_be_swapped(self):
        swarm, whole = small(600), emerge.Topology.complete(600)
        swarm.step(3)
        phase = swarm.phase
        swarm.topology = whole
        assert swarm.topology is whole
        assert np.array_equal(swarm.phase, phase)
        swarm.step(3)
        again = emerge.Swarm(whole, swarm.model, phase=phase)
        again.step(3)
        assert np.array_equal(swarm.phase, again.phase)
        swarm.topology = emerge.Topology.ring(600, degree=4)
        swarm.step()

    def test_frequencies_come_with_the_topology(self):
        topology = emerge.Topology.ring(5)
        assert np.all(emerge.Swarm(topology, STILL).frequency == 0.0)

    def test_isolated_agents_turn_at_their_own_frequency(self):
        lonely = emerge.Topology.from_edges([(0, 1)], 4)
        for normalize in ("weight", "agents", "none"):
            model = emerge.Kuramoto(coupling=3.0, normalize=normalize)
            swarm = emerge.Swarm(lonely, model, frequency=[0, 0, 1.0, 2.0], phase=0.0)
            swarm.step(10, dt=0.1)
            assert swarm.phase[2:] == pytest.approx([1.0, 2.0], abs=1e-14)

    def test_one_agent(self):
        for topology in (emerge.Topology.complete(1), emerge.Topology.from_edges(np.empty((0, 2), int), 1)):
            swarm = emerge.Swarm(topology, emerge.Kuramoto(coupling=1.0), frequency=1.0, phase=0.0)
            assert swarm.run(1.0, until=emerge.coherent(0.5)).reason == "reached"
            swarm.step(100)
            assert swarm.phase[0] == pytest.approx(1.0, abs=1e-12)

    def test_memory_is_what_the_documents_say(self):
        n, degree = 100_000, 10
        web = emerge.Topology.random(n, degree=degree, seed=1)
        swarm = emerge.Swarm(web, STILL, seed=1, threads=1)
        swarm.step()
        scratch = 64 * 1024
        assert swarm.nbytes <= 56 * n + 4 * web.edge_ends + scratch
        before = swarm.nbytes
        swarm.nudge(0, 1.0)
        assert 8 * n <= swarm.nbytes - before <= 8.1 * n
        half = emerge.Swarm(web, STILL, seed=1, threads=1, precision="single")
        half.step()
        assert half.nbytes <= 40 * n + 4 * web.edge_ends + scratch
        everyone = emerge.Swarm(emerge.Topology.complete(n), STILL, seed=1, threads=1)
        everyone.step()
        assert everyone.nbytes <= 33 * n + scratch

    def test_a_tick_takes_no_memory(self):
        swarm = hard()
        swarm.step()
        before = _engine.allocations()
        swarm.step(50)
        assert _engine.allocations() == before


class TestPoking:
    def test_one_nudge_has_the_bits_and_the_checks_of_many(self):
        one, many = (emerge.Swarm(emerge.Topology.ring(9), emerge.Kuramoto(coupling=1.0), seed=1) for _ in range(2))
        for agent, angle in [(0, 0.25), (8, -7.5), (8, 1e9), (3, 0.0)]:
            one.nudge(agent, angle)
            many.nudge([agent], [angle])
        np.testing.assert_array_equal(one.phase, many.phase)
        for agent, angle in [(9, 1.0), (-1, 1.0), (0, np.nan), (0, np.inf), (True, 1.0), (0.0, 1.0), (0, "1")]:
            with pytest.raises((emerge.InvalidValue, emerge.InvalidType)):
                one.nudge(agent, angle)
        np.testing.assert_array_equal(one.phase, many.phase)

    def test_a_nudge_is_seen_at_once_and_taken_by_the_next_tick(self):
        swarm = small(10, coupling=0.0, phase=1.0)
        swarm.nudge(3, 0.5)
        swarm.nudge([3, 3, 4], [0.25, 0.25, -1.5])
        expected = np.ones(10)
        expected[3], expected[4] = 2.0, TURN - 0.5
        assert swarm.phase == pytest.approx(expected, abs=1e-15)
        assert swarm.coherence == pytest.approx(oracle.coherence(expected), abs=1e-15)
        swarm.step(5)
        assert swarm.phase == pytest.approx(expected, abs=1e-14)

    def test_neighbours_sense_a_nudge_made_at_rest(self):
        swarm, other = small(10, phase=0.0), small(10, phase=0.0)
        swarm.nudge(3, 1.0)
        phase = np.zeros(10)
        phase[3] = 1.0
        other.phase = phase
        swarm.step(4), other.step(4)
        assert oracle.apart(swarm.phase, other.phase) < 1e-14
        assert oracle.apart(swarm.phase, np.zeros(10)) > 1e-3

    def test_order_of_nudges_does_not_show(self):
        rng = np.random.default_rng(5)
        agents, angles = rng.integers(0, 50, 1000), rng.uniform(-9, 9, 1000)
        one, two = small(50), small(50)
        one.nudge(agents, angles)
        two.nudge(agents[::-1], angles[::-1])
        one.step(3), two.step(3)
        assert np.array_equal(one.phase, two.phase)

    def test_assigning_drops_what_waits(self):
        swarm = small(10, coupling=0.0)
        swarm.nudge(3, 0.5)
        swarm.phase = 1.0
        swarm.step()
        assert np.all(swarm.phase == 1.0)

    @pytest.mark.parametrize("threads", [1, 2, 8])
    def test_no_nudge_is_lost_while_the_swarm_runs(self, threads):
        n, nudgers, nudges, angle = 5000, 4, 3000, 1e-3
        swarm = small(n, coupling=0.0, phase=1.0, threads=threads)
        swarm.nudge(0, 0.0)
        begun = threading.Event()
        left = [nudgers]
        lock = threading.Lock()

        def nudge(number):
            rng = np.random.default_rng(number)
            assert begun.wait(30)
            for _ in range(nudges):
                swarm.nudge(rng.integers(0, n, 10), angle)
            with lock:
                left[0] -= 1

        crowd = [threading.Thread(target=nudge, args=(k,)) for k in range(nudgers)]
        for thread in crowd:
            thread.start()

        def all_done(_):
            begun.set()
            return left[0] == 0

        assert swarm.run(1e6, until=all_done, every=0.01, timeout=60).reason == "reached"
        for thread in crowd:
            thread.join(30)
        turned = (swarm.phase - 1.0 + np.pi) % TURN - np.pi
        assert turned.sum() == pytest.approx(nudgers * nudges * 10 * angle, rel=1e-10)

    def test_disrupt(self):
        swarm = small(1000, phase=1.0, coupling=0.0)
        who = swarm.disrupt(0.2)
        assert len(np.unique(who)) == 200
        moved = swarm.phase != 1.0
        assert np.array_equal(np.flatnonzero(moved), who)
        assert swarm.coherence < 0.9
        assert swarm.disrupt(agents=[5, 5, 7]).tolist() == [5, 7]

    def test_disruptions_from_many_threads_are_all_different(self):
        swarm, drawn = small(1000), []
        crowd = [threading.Thread(target=lambda: drawn.append(tuple(swarm.disrupt(0.1)))) for _ in range(20)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join(30)
        assert len(set(drawn)) == 20

    def test_disruptions_repeat_with_the_seed_and_differ_among_each_other(self):
        one, two = small(1000, seed=8), small(1000, seed=8)
        first, second = one.disrupt(0.1), one.disrupt(0.1)
        assert np.array_equal(first, two.disrupt(0.1))
        assert not np.array_equal(first, second)


@contextmanager
def running():
    """A swarm that another thread runs until the block is left."""
    swarm = hard(5000, threads=2)
    begun, over = threading.Event(), threading.Event()

    def until(_):
        begun.set()
        return over.is_set()

    thread = threading.Thread(target=lambda: swarm.run(1e9, until=until, every=1.0, timeout=60))
    thread.start()
    try:
        assert begun.wait(30)
        yield swarm
    finally:
        over.set()
        thread.join(30)
    assert swarm.result.reason == "reached"


class TestOtherThreads:
    def test_a_second_runner_is_refused(self):
        with running() as swarm:
            with pytest.raises(emerge.Busy, match="running already"):
                swarm.run(1.0)
            with pytest.raises(RuntimeError):
                swarm.step()

    def test_a_nested_run_that_is_refused_leaves_the_claim_where_it_was(self):
        swarm = hard()
        refused = []

        def step():
            try:
                swarm.step()
            except emerge.Busy as error:
                refused.append(error)

        def until(_):
            step()
            other = threading.Thread(target=step)
            other.start()
            other.join(30)
            return len(refused) >= 2

        assert swarm.run(1.0, until=until, every=0.1).ticks == 0
        assert len(refused) == 2
        swarm.step()

    def test_assigning_state_is_refused_and_changes_nothing(self):
        with running() as swarm:
            for name, value in [("phase", 0.0), ("frequency", 9.0), ("model", STILL)]:
                with pytest.raises(emerge.Busy, match=name):
                    setattr(swarm, name, value)
            assert swarm.model.coupling == 2.0
            assert np.all(swarm.frequency != 9.0)

    def test_reading_goes_on_between_batches(self):
        with running() as swarm:
            for _ in range(20):
                assert np.all((swarm.phase >= 0) & (swarm.phase < TURN))
            time = swarm.time
            while swarm.time == time:
                assert len(swarm.phase) == 5000

    def test_the_topology_can_be_swapped(self):
        with running() as swarm:
            for seed in range(5):
                swarm.topology = emerge.Topology.random(5000, degree=6, seed=seed)
                swarm.topology = emerge.Topology.complete(5000)
            with pytest.raises(emerge.InvalidValue, match="7 agents"):
                swarm.topology = emerge.Topology.ring(7)

    def test_what_is_read_is_of_one_tick(self):
        """Without coupling all agents of one frequency stay together, unless a tick is seen half done."""
        swarm = emerge.Swarm(emerge.Topology.complete(50_000), STILL, frequency=1.0, phase=1.0, threads=2)
        seen = []

        def look():
            for _ in range(30):
                seen.append(np.ptp(np.unwrap(swarm.phase)))

        thread = threading.Thread(target=look)
        thread.start()
        swarm.run(1e9, until=lambda _: not thread.is_alive(), every=0.1, timeout=60)
        thread.join(30)
        assert len(seen) == 30
        assert max(seen) == 0.0


class TestKeeping:
    def restored(self, way, swarm, tmp_path):
        if way == "save":
            swarm.save(tmp_path / "swarm.npz")
            return emerge.Swarm.load(tmp_path / "swarm.npz")
        return {"pickle": lambda s: pickle.loads(pickle.dumps(s)), "copy": copy.copy, "deepcopy": copy.deepcopy}[way](
            swarm
        )

    @pytest.mark.parametrize("way", ["save", "pickle", "copy", "deepcopy"])
    @pytest.mark.parametrize("precision", ["double", "single"])
    @pytest.mark.parametrize("kind", ["stored", "weighted", "complete", "labelled", "groups", "lattice", "ring"])
    def test_goes_on_with_the_same_bits(self, way, kind, precision, tmp_path):
        pytest.importorskip("networkx")
        weights = np.linspace(0.5, 2, 400)
        topology = {
            "stored": emerge.Topology.random(700, degree=5, seed=1),
            "weighted": emerge.Topology.from_edges(
                np.random.default_rng(1).integers(0, 700, (400, 2)), 700, weights=weights, directed=True
            ),
            "complete": emerge.Topology.complete(700),
            "labelled": emerge.Topology.from_edges([(0, 1)], 2, labels=["north", "süd"]),
            "groups": emerge.Topology.groups([300, 400], [[1, -0.5], [0, 2]]),
            "lattice": emerge.Topology.grid(20, 35, reach=3),
            "ring": emerge.Topology.ring(700, degree=8),
        }[kind]
        model = emerge.Kuramoto(coupling=1.7, lag=0.2, normalize="agents")
        swarm = emerge.Swarm(topology, model, frequency=0.3, seed=9, precision=precision)
        swarm.run(0.37, dt=0.01)
        swarm.disrupt(0.3)
        other = self.restored(way, swarm, tmp_path)
        assert other.topology == topology
        assert np.array_equal(other.topology.labels, topology.labels)
        assert (other.model, other.time) == (model, swarm.time)
        for each in (swarm, other):
            each.disrupt(0.1)
            each.run(0.5, dt=0.01)
            each.run(0.5, dt=0.02)
        assert np.array_equal(swarm.phase, other.phase)
        assert swarm.time == other.time
        swarm.step()
        assert not np.array_equal(swarm.phase, other.phase)

    def test_a_file_is_replaced_as_a_whole(self, tmp_path, monkeypatch):
        path = tmp_path / "swarm.npz"
        swarm = small()
        swarm.save(path)
        before = path.read_bytes()
        swarm.step()

        def fails(*_, **__):
            raise OSError("no space left on device")

        monkeypatch.setattr(np, "savez", fails)
        with pytest.raises(OSError, match="no space"):
            swarm.save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    def test_any_damage_is_told_as_such(self, tmp_path):
        path = tmp_path / "swarm.npz"
        small(20).save(path)
        whole = path.read_bytes()
        told = 0
        for bit in np.random.default_rng(1).integers(0, 8 * len(whole), 300):
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            try:
                emerge.Swarm.load(path)
            except emerge.CheckpointError:
                told += 1
        assert told > 100

    @pytest.mark.skipif(os.name != "posix", reason="permissions of files are needed")
    def test_permissions_stay(self, tmp_path):
        path = tmp_path / "swarm.npz"
        small().save(path)
        path.chmod(0o640)
        small().save(path)
        assert path.stat().st_mode & 0o777 == 0o640

    def test_files_that_are_no_swarm(self, tmp_path):
        path = tmp_path / "swarm.npz"
        with pytest.raises(FileNotFoundError):
            emerge.Swarm.load(path)
        for content in (b"", b"nonsense", b"PK\x03\x04nonsense"):
            path.write_bytes(content)
            with pytest.raises(emerge.CheckpointError, match=r"swarm\.npz"):
                emerge.Swarm.load(path)
        np.savez(path, a=1)
        with pytest.raises(emerge.CheckpointError, match="no saved swarm"):
            emerge.Swarm.load(path)
        np.savez(path, header=np.array('{"emerge": 99}'))
        with pytest.raises(emerge.CheckpointError, match="newer emerge"):
            emerge.Swarm.load(path)
        np.savez(path, header=np.array("[1]"))
        with pytest.raises(emerge.CheckpointError, match="format None"):
            emerge.Swarm.load(path)
        np.savez(path, header=np.array('{"emerge": 1}'))
        with pytest.raises(emerge.CheckpointError, match="damaged"):
            emerge.Swarm.load(path)


def stepped(swarm):
    """Run in another process."""
    swarm.step(20)
    return swarm.phase


class TestProcesses:
    def test_spawn(self):
        swarm = hard()
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            there = pool.submit(stepped, swarm).result(60)
        assert np.array_equal(there, stepped(swarm))

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is needed")
    def test_fork_after_use_runs_on_one_thread_with_one_warning(self):
        code = """
import os, sys, warnings
import emerge
swarm = emerge.Swarm(emerge.Topology.ring(5000, degree=4), emerge.Kuramoto(coupling=1.0), seed=1, threads=4)
swarm.step(3)
if os.fork() == 0:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        swarm.step(3)
        swarm.step(3)
        swarm.phase
    os._exit(0 if [w.category for w in told] == [RuntimeWarning] else 7)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is needed")
    def test_a_child_forked_during_a_run_owes_nothing_to_it(self):
        code = """
import os, sys, threading, warnings
import emerge
swarm = emerge.Swarm(emerge.Topology.ring(5000, degree=4), emerge.Kuramoto(coupling=1.0), seed=1, threads=2)
begun, over = threading.Event(), threading.Event()
def until(_):
    begun.set()
    return over.is_set()
thread = threading.Thread(target=lambda: swarm.run(1e9, until=until, every=0.1))
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    warnings.simplefilter("ignore")
    assert swarm.check() == ()
    swarm.step()
    assert swarm.check() == ()
    swarm.nudge(3, 0.1)
    swarm.topology = emerge.Topology.complete(5000)
    result = swarm.run(0.1)
    os._exit(0 if result.reason == "duration" and swarm.metrics().workers == 1 else 7)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
over.set()
thread.join()
sys.exit(code or swarm.result.reason != "reached")
"""
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


BAD = [
    (lambda: emerge.Swarm("ring", STILL), TypeError, "Topology"),
    (lambda: emerge.Swarm(emerge.Topology.ring(5), 2.0), TypeError, "model"),
    (lambda: small(5, phase=[1, 2]), ValueError, r"\(5,\)"),
    (lambda: small(5, phase=[1, 2, 3, 4, np.nan]), ValueError, "entry 4 is nan"),
    (lambda: small(5, phase="abc"), TypeError, "phase"),
    (lambda: small(5, phase=[1j] * 5), TypeError, "complex"),
    (lambda: small(5, frequency=np.inf), ValueError, "finite"),
    (lambda: small(5, frequency=np.ones((5, 1))), ValueError, r"\(5, 1\)"),
    (lambda: small(5, threads=0), ValueError, "1 to 1024"),
    (lambda: small(5, threads=-1), ValueError, "1 to 1024"),
    (lambda: small(5, threads=1025), ValueError, "1 to 1024"),
    (lambda: small(5, threads=2**70), ValueError, "1 to 1024"),
    (lambda: small(5, threads=True), TypeError, "threads"),
    (lambda: small(5, threads="2"), TypeError, "threads"),
    (lambda: emerge.Swarm.load("any", threads=0), ValueError, "1 to 1024"),
    (lambda: small(5, threads=1.5), TypeError, "threads"),
    (lambda: small(5, seed=-1), ValueError, "seed"),
    (lambda: small(5, seed="x"), TypeError, "seed"),
    (lambda: small(5).nudge(5, 1.0), ValueError, "0 to 4"),
    (lambda: small(5).nudge(-1, 1.0), ValueError, "0 to 4"),
    (lambda: small(5).nudge([0.5], 1.0), TypeError, "whole number"),
    (lambda: small(5).nudge([0, 1], [1.0, 2.0, 3.0]), ValueError, r"\(2,\)"),
    (lambda: small(5).nudge(0, np.nan), ValueError, "finite"),
    (lambda: small(5).disrupt(), ValueError, "either"),
    (lambda: small(5).disrupt(0.5, agents=[1]), ValueError, "either"),
    (lambda: small(5).disrupt(1.5), ValueError, "at most 1"),
    (lambda: small(5).disrupt(agents=[9]), ValueError, "0 to 4"),
    (lambda: small(5).step(0), ValueError, "at least 1"),
    (lambda: small(5).step(dt=0.0), ValueError, "dt"),
    (lambda: small(5).step(dt=np.nan), ValueError, "dt"),
    (lambda: setattr(small(5), "topology", emerge.Topology.ring(6)), ValueError, "6 agents"),
    (lambda: setattr(small(5), "topology", None), TypeError, "Topology"),
    (lambda: setattr(small(5), "model", None), TypeError, "model"),
    (lambda: setattr(small(5), "phase", [1.0]), ValueError, r"\(5,\)"),
    (lambda: small(5, precision="half"), ValueError, "'double' or 'single', not 'half'"),
    (lambda: small(5, precision=None), ValueError, "'double' or 'single', not None"),
    (lambda: emerge.Kuramoto(coupling=np.nan), ValueError, "coupling"),
    (lambda: emerge.Kuramoto(coupling="strong"), TypeError, "coupling"),
    (lambda: emerge.Kuramoto(coupling=1.0, lag=np.inf), ValueError, "lag"),
    (lambda: emerge.Kuramoto(coupling=1.0, normalize="degree"), ValueError, "'weight', 'agents', 'none'"),
    (lambda: emerge.coherent(0.0), ValueError, "greater than 0"),
    (lambda: emerge.coherent(1.1), ValueError, "at most 1"),
    (lambda: emerge.locked(-1e-3), ValueError, "tolerance"),
    (lambda: emerge.Swarm(emerge.Topology.complete(2**31 - 1), STILL), MemoryError, "GB"),
]


@pytest.mark.parametrize(("call", "kind", "says"), BAD)
def test_bad_input_gets_one_sentence(call, kind, says):
    with pytest.raises(kind, match=says) as caught:
        call()
    assert isinstance(caught.value, emerge.EmergeError)
    assert "\n" not in str(caught.value)


def test_a_refused_nudge_turns_nobody():
    swarm = small(5, phase=1.0)
    with pytest.raises(emerge.InvalidValue):
        swarm.nudge([0, 1, 9], 1.0)
    assert np.all(swarm.phase == 1.0)
