"""The examples: their measures on times made up here, their swarms without a clock, and what they print when run."""

import asyncio
import dataclasses
import http.client
import importlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import emerge

EXAMPLES = Path(__file__).parent.parent / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples of emerge are needed")
PRIMES = (11, 23, 29)


@pytest.fixture
def example(monkeypatch):
    """Import an example by name, as it would import others beside it."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield importlib.import_module
    science = ("fireflies", "explosive", "noisy", "chimera", "custom", "flashes", "learning", "brain", "grid")
    for name in ("server", "together", "apart", *science):
        sys.modules.pop(name, None)


def command(name, *words):
    return [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *map(str, words)]


def run(name, *words):
    """Run an example; return the numbers of each row by its name, and all that it printed."""
    done = subprocess.run(command(name, *words), capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    rows = re.findall(r"^(\S.*?)((?: {2,}\d+\.\d+)+)$", done.stdout, flags=re.M)
    return {name: [float(number) for number in numbers.split()] for name, numbers in rows}, done.stdout


class TestMeasures:
    def even(self, n, periods, period):
        return 7.0 + period * np.arange(n * periods) / n

    @pytest.mark.parametrize(("n", "most"), [(10, 1), (23, 3), (40, 4)])
    def test_an_even_spread_has_the_least_peak(self, example, n, most):
        apart = example("apart")
        times = self.even(n, 3, 0.5) + 1e-9 * np.arange(3 * n)  # a tenth of a period is less than most + 1 gaps
        assert apart.peak_to_mean(times, 7.0, 0.5, 3) == pytest.approx(most / (0.1 * n))
        assert apart.unevenness(times) < 1e-6

    def test_a_herd_has_the_highest(self, example):
        apart = example("apart")
        times = np.repeat([7.25, 7.75, 8.25], 20)
        assert apart.peak_to_mean(times, 7.0, 0.5, 3) == pytest.approx(10.0)
        gaps = np.r_[np.zeros(19), 0.5, np.zeros(19), 0.5, np.zeros(19)]
        assert apart.unevenness(times) == pytest.approx(gaps.std() / gaps.mean())

    def test_a_window_begins_at_any_request(self, example):
        apart = example("apart")
        times = np.array([0.05, 0.06, 0.149, 0.155, 0.55, 0.6])
        assert apart.peak_to_mean(times, 0.0, 1.0, 1) == pytest.approx(3 / 0.6)

    def test_one_bad_period_does_not_count(self, example):
        apart = example("apart")
        times = self.even(10, 3, 1.0)
        times[10:20] = 8.0
        assert apart.peak_to_mean(times + 1e-9 * np.arange(30), 7.0, 1.0, 3) == pytest.approx(1.0)

    def test_order_does_not_matter(self, example):
        apart = example("apart")
        times = np.random.default_rng(1).uniform(0.0, 3.0, 60)
        backwards = times[::-1]
        assert apart.peak_to_mean(times, 0.0, 1.0, 3) == apart.peak_to_mean(backwards, 0.0, 1.0, 3)
        assert apart.unevenness(times) == apart.unevenness(backwards)


class TestSwarms:
    """What the examples' swarms do, without a clock."""

    def spread(self, apart, web, seed):
        """Return R and the unevenness of a swarm that was a herd, after the time that the example gives it."""
        phase = -2 * np.pi * np.random.default_rng(seed).uniform(0, apart.HERD, len(web))
        swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=apart.COUPLING), frequency=2 * np.pi, phase=phase)
        swarm.run(apart.SETTLE, dt=1 / apart.TICKS)
        ends = np.sort(swarm.phase)
        return swarm.coherence, apart.unevenness(np.append(ends, ends[0] + 2 * np.pi))

    @pytest.mark.parametrize("seed", range(10))
    @pytest.mark.parametrize("n", PRIMES)
    def test_repulsion_on_a_ring_of_a_prime_number_spreads_evenly(self, example, n, seed):
        coherence, uneven = self.spread(example("apart"), emerge.Topology.ring(n), seed)
        assert coherence < 0.01
        assert uneven < 0.1

    @pytest.mark.parametrize("seed", range(10))
    def test_repulsion_of_all_is_incoherent_but_uneven(self, example, seed):
        coherence, uneven = self.spread(example("apart"), emerge.Topology.complete(23), seed)
        assert coherence < 0.01
        assert uneven > 0.5

    def test_an_even_ring_mostly_falls_into_groups(self, example):
        apart = example("apart")
        assert np.median([self.spread(apart, emerge.Topology.ring(12), seed)[1] for seed in range(10)]) > 1.0

    @pytest.mark.parametrize("seed", range(10))
    def test_attraction_is_in_step_in_time(self, example, seed):
        together = example("together")
        swarm = together.swarm_of(SimpleNamespace(agents=50, seed=seed))
        swarm.run(together.SETTLE, dt=1 / together.TICKS)
        assert swarm.coherence < 0.5
        swarm.model = emerge.Kuramoto(coupling=together.COUPLING)
        swarm.run(together.SETTLE, dt=1 / together.TICKS)
        assert swarm.coherence > 0.99


class TestScience:
    """What researchers' examples show, and that it is not shown where its cause is missing."""

    def test_fireflies_fall_into_step_and_follow_a_torch_that_is_not_too_fast(self, example):
        fireflies = example("fireflies")
        swarm = fireflies.meadow(1)
        assert swarm.coherence < 0.2
        assert fireflies.busiest(swarm.phase) < 0.2
        swarm.run(40.0, dt=0.01)
        assert swarm.coherence > 0.95
        assert fireflies.busiest(swarm.phase) > 0.9
        assert fireflies.rhythm(swarm) == pytest.approx(1.0, abs=0.01)
        for blinks, follows in ((1.03, True), (1.2, False)):
            swarm.model = fireflies.lit(blinks)
            swarm.run(50.0, dt=0.01)
            assert (abs(fireflies.rhythm(swarm) - blinks) < 0.002) == follows

    def test_the_busiest_tenth(self, example):
        busiest = example("fireflies").busiest
        assert busiest(np.linspace(0, 2 * np.pi, 40, endpoint=False)) == pytest.approx(0.1)
        assert busiest(np.array([6.2, 0.1, 0.2, 3.0])) == 0.75

    def test_fireflies_that_see_nobody_stay_out_of_step(self, example, monkeypatch):
        fireflies = example("fireflies")
        monkeypatch.setattr(fireflies, "SIGHT", 0.0)
        swarm = fireflies.meadow(1)
        swarm.run(40.0, dt=0.01)
        assert swarm.coherence < 0.2

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_flashes_come_together_if_they_push_on_and_never_if_they_hold_back(self, example, seed):
        flashes = example("flashes")
        seen = flashes.watch(flashes.meadow(seed))
        assert len(seen) > flashes.FLIES * flashes.NIGHT  # pulses only make them faster
        assert flashes.largest(seen, 0, flashes.PERIOD) < flashes.FLIES / 2
        assert flashes.largest(seen, 40, 45) == flashes.FLIES
        assert np.unique(seen.time[-flashes.FLIES :]).size == 1
        assert flashes.largest(flashes.watch(flashes.meadow(seed, -flashes.PUSH)), 40, 45) < 3

    def test_fast_hubs_make_coherence_jump_and_hold_it(self, example):
        explosive = example("explosive")
        web = emerge.Topology.scale_free(explosive.AGENTS, explosive.EDGES, seed=1)
        degree = web.degree.astype(float)
        up, down = explosive.sweep(web, degree, 1)
        assert np.max(np.diff(up)) > 0.5
        assert np.max(down - up) > 0.5
        up, down = explosive.sweep(web, np.random.default_rng(1).permutation(degree), 1)
        assert np.max(np.abs(np.diff(up))) < 0.15
        assert np.max(np.abs(down - up)) < 0.05

    def test_a_chimera_has_a_part_in_step_and_one_that_drifts(self, example, tmp_path):
        chimera = example("chimera")
        swarm, order, frequency = chimera.run(chimera.hump(1))
        assert (order > 0.999).sum() >= 3
        assert (order < 0.7).sum() >= 4
        still = np.repeat(order > 0.999, chimera.AGENTS // chimera.GROUPS)
        assert np.ptp(frequency[still]) < 0.01
        assert frequency[~still].max() > frequency[still].max() + 0.3
        _, order, frequency = chimera.run(0.01 * chimera.hump(1))
        assert order.min() > 0.999
        assert frequency == pytest.approx(-np.sin(chimera.LAG), abs=1e-3)
        pytest.importorskip("matplotlib")
        chimera.picture(swarm.phase, frequency, tmp_path / "chimera.png")
        assert (tmp_path / "chimera.png").stat().st_size > 5000

    def test_conduction_speed_sets_the_rhythm_of_a_brain(self, example, tmp_path):
        brain = example("brain")
        regions = emerge.Connectome.synthetic(brain.REGIONS, seed=1)
        seen = {speed: brain.measured(brain.swarm_of(regions, speed, 1)) for speed in (np.inf, 40.0, 10.0, 3.5)}
        assert seen[np.inf] == pytest.approx((brain.HERTZ, 1.0), abs=0.25)
        assert seen[np.inf][0] > seen[40.0][0] + 3 > seen[10.0][0] + 8
        assert seen[10.0][1] > 0.95
        assert seen[3.5][1] < 0.3
        pytest.importorskip("matplotlib")
        brain.picture([(0.0, *seen[np.inf]), (4.2, *seen[10.0])], tmp_path / "brain.png")
        assert (tmp_path / "brain.png").stat().st_size > 5000

    def test_a_grid_loses_a_line_and_then_a_part(self, example, tmp_path):
        pytest.importorskip("scipy", reason="extra graphs")
        grid = example("grid")
        net = grid.drawn(1)
        held = grid.lost(net, None)
        assert len(held.islands) == 1
        assert held.overloads == ()
        assert len(held.beyond) > 0
        lost = grid.lost(net, grid.PATIENCE)
        assert len(lost.islands) == 2
        assert len(lost.stages) > 2
        assert abs(lost.islands[0].imbalance + lost.islands[1].imbalance) < 1e-6
        assert lost.islands[0].imbalance < -100
        assert lost.islands[1].deviation > 1.0 > 0 > lost.islands[0].deviation
        wide = dataclasses.replace(net, limit=3 * net.limit)
        assert grid.lost(wide, grid.PATIENCE).overloads == ()

    def test_a_grid_is_read_and_drawn(self, tmp_path):
        for extra in ("scipy", "matplotlib"):
            pytest.importorskip(extra, reason="extras graphs and plot")
        case, plot = tmp_path / "three.m", tmp_path / "grid.png"
        case.write_text(
            "mpc.baseMVA = 100;\nmpc.bus = [1 3 0; 2 1 90; 3 1 60];\nmpc.gen = [1 150 0 0 0 1 100 1];\n"
            "mpc.branch = [1 2 0 .1 0 0 0 0 0 0 1; 2 3 0 .1 0 45 0 0 0 0 1; 1 3 0 .1 0 0 0 0 0 0 1];\n"
        )
        done = subprocess.run(command("grid", case, "--plot", plot), capture_output=True, text=True, timeout=100)
        assert (done.returncode, done.stderr) == (0, "")
        assert "PowerGrid(3 buses, 3 lines, 1 generator, 150 MW)" in done.stdout
        assert "trip              line 1–2 at 1 s" in done.stdout
        assert "overload          line 2–3 at" in done.stdout
        assert plot.read_bytes().startswith(b"\x89PNG")

    def test_a_grid_that_is_not_there_is_told_in_a_sentence(self, tmp_path):
        pytest.importorskip("scipy", reason="extra graphs")
        done = subprocess.run(command("grid", tmp_path / "nope.m"), capture_output=True, text=True, timeout=100)
        assert done.returncode == 1
        assert done.stderr.startswith("grid.py: ")
        assert done.stderr.count("\n") == 1
        assert "nope.m" in done.stderr

    def test_noise_ends_coherence_at_half_the_coupling(self, example):
        noisy = example("noisy")
        for noise in (0.3, 0.5):
            assert noisy.measured(noise, 1000, 1) == pytest.approx(noisy.theory(noise), abs=0.01)
        assert noisy.theory(1.1) < 1e-3
        assert noisy.measured(1.3, 1000, 1) < 0.1
        assert noisy.theory(0.5) == pytest.approx(0.8315, abs=1e-4)  # B5 in docs/validation.md

    @pytest.mark.parametrize("way", ["python", "numba"])
    def test_winfrees_agents_turn_lock_and_fall_silent(self, example, way):
        custom = example("custom")
        if way == "numba":
            pytest.importorskip("numba", reason="numba compiles models")
        function = custom.winfree if way == "python" else custom.compiled()
        slowest, fastest = custom.rates(function, 0.05, 1)
        assert fastest - slowest > 0.1
        slowest, fastest = custom.rates(function, 0.5, 1)
        assert slowest > 0.5
        assert fastest - slowest < 0.01
        assert custom.rates(function, 1.5, 1) == pytest.approx((0.0, 0.0), abs=1e-6)

    def test_weights_learn_who_belongs_together_and_do_not_where_all_have_one_tempo(self, example, monkeypatch):
        learning = example("learning")
        swarm, tempo = learning.begin(3, emerge.Hebbian(rate=learning.RATE))
        swarm.run(learning.DURATION, dt=learning.DT, method="rk4")
        found = learning.clusters(swarm)
        alike = tempo[:, None] == tempo
        assert found.max() == 1
        assert ((found[:, None] == found) == alike).all()
        assert swarm.strengths[alike[learning.OTHERS]].min() > 0.95
        assert abs(swarm.strengths[~alike[learning.OTHERS]]).max() < 0.2
        assert 0.55 < learning.mean_coherence(swarm) < 0.75  # of two that pass each other, 2 / pi
        monkeypatch.setattr(learning, "TEMPI", (1.0, 1.0))
        swarm, _ = learning.begin(3, emerge.Hebbian(rate=learning.RATE))
        swarm.run(learning.DURATION, dt=learning.DT, method="rk4")
        assert learning.clusters(swarm).max() == 0

    def test_the_example_of_learning_tells_it(self):
        rows, text = run("learning")
        assert rows["clusters that the weights tell"] == [2.0]
        assert rows["pairs of agents that they tell right"] == [1.0]
        assert rows["coherence of all, wired for good"][0] > 0.9 > rows["coherence of all, learning"][0]
        assert len(text.splitlines()) == 13

    @pytest.mark.parametrize(
        ("name", "lines"),
        [("fireflies", 12), ("flashes", 10), ("explosive", 17), ("noisy", 11), ("custom", 6), ("brain", 13)],
    )
    def test_they_run(self, name, lines):
        done = subprocess.run(command(name), capture_output=True, text=True, timeout=100, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == lines


class TestServer:
    def test_it_speaks_http_and_counts(self, example):
        def get(port, path):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", path)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            connection.close()
            return answer.status, body

        async def main():
            async with example("server").Server() as server:
                begin = asyncio.get_running_loop().time()
                told = [await asyncio.to_thread(get, server.port, path) for path in ("/answers?key=3&key=5", "/")]
                assert await server.ask(7) == {7: "answer to 7"}
                with pytest.raises(ConnectionError, match="400"):
                    await server.ask()
                assert [request.keys for request in server.between(begin, begin + 100)] == [2, 1]
                assert server.between(0.0, begin) == []
                return told

        assert asyncio.run(main()) == [(200, {"3": "answer to 3", "5": "answer to 5"}), (400, {})]

    def test_keys_that_are_asked_for_within_a_window_go_together(self, example):
        class Told:
            def __init__(self):
                self.requests = []

            async def ask(self, *keys):
                self.requests.append(keys)
                return {key: -key for key in keys}

        async def main():
            server = Told()
            batch = example("together").Batch(server, 0.0)
            first = await asyncio.gather(*(batch.ask(key) for key in range(5)))
            given_up = asyncio.create_task(batch.ask(5))
            other = asyncio.create_task(batch.ask(6))
            await asyncio.sleep(0)
            given_up.cancel()
            return first, await other, server.requests

        first, other, requests = asyncio.run(main())
        assert (first, other) == ([0, -1, -2, -3, -4], -6)
        assert requests == [(0, 1, 2, 3, 4), (5, 6)]


class TestRun:
    def test_together_needs_fewer_requests_for_the_same_keys(self):
        rows, text = run("together", "--agents", 24, "--periods", 2, "--period", 0.5)
        alone, shared, step = rows.values()
        assert [name.partition(":")[0] for name in rows] == ["before", "shared requests, out of step", "after"]
        assert 2 * step[0] < shared[0] <= 1.1 * alone[0]
        assert alone[1] / 2 < step[1] < 2 * alone[1]
        assert alone[3] < 0.6
        assert step[3] > 0.95
        assert re.search(r"with \d+ times fewer requests\.$", text)

    def test_apart_has_a_lower_peak_than_a_herd_and_none_above_jitter(self):
        rows, _ = run("apart", "--agents", 11, "--periods", 3, "--period", 0.5)
        herd, jitter, scheduler, everybody, ring = rows.values()
        assert [name.partition(":")[0] for name in rows][::4] == ["before", "after"]
        assert 2 * ring[1] < herd[1]
        assert ring[1] <= jitter[1]
        assert 2 * ring[2] < herd[2]
        assert min(row[0] for row in (jitter, scheduler, everybody, ring)) > herd[0] / 2

    @pytest.mark.parametrize("name", ["together", "apart"])
    def test_control_c_ends_it_quietly(self, name):
        with subprocess.Popen(command(name), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert "pollers" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (130, "stopped\n")

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (("apart", "--agents", 24), "choose a prime"),
            (("apart", "--period", 0), "longer than 0 s"),
            (("together", "--agents", 4), "at least 8 agents"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, words, why):
        done = subprocess.run(command(*words), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert why in done.stderr
