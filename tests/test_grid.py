"""Power grids: what a case becomes, power flow and how it fails, trips, cascades, islands, and what is told of them."""

import os
from pathlib import Path

import numpy as np
import pytest

import emerge

pytest.importorskip("scipy", reason="extra graphs")

DATA = Path(os.environ.get("EMERGE_DATA", Path(__file__).resolve().parents[1].parent / "shared" / "data"))

CASE = """function mpc = five
mpc.baseMVA = 50;
mpc.bus = [
 10 3 0  0 0 0 1 1.02 0;
 4  1 30 0 0 0 1 0.98 0;
 7  1 20 0 8 0 1 1.00 0;
 99 4 5  0 0 0 1 1.00 0;
 8  2 -6 0 0 0 1 1.01 0;
];
mpc.gen = [
 10 40 0 0 0 1 100 1 90;
 4 1000 0 0 0 1 100 0 1000;
 8 0 0 0 0 1 25 1 0;
 99 3 0 0 0 1 100 1 3;
];
mpc.branch = [
 10 4 0 0.5 0 30 0 0 0 0 1;
 4 10 0 -0.25 0 40 0 0 0 0 1;
 4 7 0 0.1 0 0 0 0 1.05 30 1;
 7 10 0 0.2 0 25 0 0 0 0 1;
 7 8 0 0.4 0 60 0 0 0 0 1;
 8 10 0 0.1 0 60 0 0 0 0 0;
 8 99 0 0.1 0 60 0 0 0 0 1;
 4 4 0 0.3 0 60 0 0 0 0 1;
];
"""


@pytest.fixture
def read(tmp_path):
    def of(text=CASE, **options):
        path = tmp_path / "five.m"
        path.write_text(text)
        return emerge.PowerGrid.read(path, **options)

    return of


def ring(**options):
    """Three buses: bus 0 feeds in what 1 and 2 take."""
    given = {"load": [0.0, 0.6, 0.6], "generator_bus": [0], "generation": 1.2} | options
    return emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], 2.0, **given)


class TestCase:
    def test_is_read_per_unit_with_parallel_branches_as_one(self, read):
        grid = read()
        assert grid.labels == ("10", "4", "7", "8")
        assert grid.lines.tolist() == [[0, 1], [0, 2], [1, 2], [2, 3]]
        assert grid.capacity == pytest.approx([2 + 4, 5, 10, 2.5])
        assert grid.limit.tolist() == [70 / 50, 25 / 50, np.inf, 60 / 50]
        assert grid.load.tolist() == [0, 0.6, 0.4, -0.12]
        assert grid.generator_bus.tolist() == [0, 3]
        assert grid.generation.tolist() == [0.8, 0]
        assert grid.rating.tolist() == [90 / 50, 25 / 50]  # the most it may have, or mBase
        assert (grid.slack, grid.base, grid.frequency) == (0, 50, 50)
        assert grid.power.sum() == pytest.approx(0, abs=1e-15)
        assert grid.balance == pytest.approx([0.02] * 4)
        assert grid.notes == (
            "1 branch was of negative reactance (series compensation) taken by its size",
            "1 branch was parallel to another, which it was added to",
            "1 branch was left out, being out of service",
            "branches are taken as lossless: resistance, charging, taps and phase shifts are ignored",
            "voltages are nominal",
            "4 MW that generation and load differ by were fed in by all buses alike",
            "8 MW that shunts draw at nominal voltage were left out",
            "2 generators were left out, being out of service or at an isolated bus",
            "1 isolated bus was left out",
        )
        assert repr(grid) == "PowerGrid(4 buses, 4 lines, 2 generators, 40 MW)"

    def test_voltages_and_the_slack_that_balances(self, read):
        grid = read(voltages="case", balance="slack", frequency=60)
        assert grid.capacity[3] == pytest.approx(2.5 * 1.00 * 1.01)
        assert grid.balance.tolist() == pytest.approx([0.08, 0, 0, 0])
        assert grid.frequency == 60

    def test_it_is_the_topology_that_the_other_reader_makes(self, read, tmp_path):
        text = "\n".join(line for line in CASE.splitlines() if "99" not in line)
        grid = read(text)
        web = emerge.Topology.read(tmp_path / "five.m")
        assert grid.topology == web
        assert grid.power / (grid.topology.to_scipy() @ np.ones(4)) == pytest.approx(web.frequency, abs=1e-15)

    def test_buses_are_numbered_from_the_slack_outwards(self, read):
        grid = read(CASE.replace(" 10 3 0 ", " 10 1 0 ").replace(" 8  2 -6", " 8  3 -6"))
        assert grid.labels == ("8", "7", "10", "4")
        assert grid.slack == 0
        assert grid.load.tolist() == [-0.12, 0.4, 0, 0.6]
        assert [grid.labels[bus] for bus in grid.generator_bus] == ["10", "8"]
        assert grid.capacity[grid.line("8", "7")] == pytest.approx(2.5)
        assert grid.limit[grid.line("10", "4")] == 70 / 50
        assert grid.power_flow().phase - grid.power_flow().phase[2] == pytest.approx(
            read().power_flow().phase[[3, 2, 0, 1]], abs=1e-14
        )

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            (" 10 3 0", " 10 2 0", r"five\.m: the grid has no slack"),
            (" 7 8 0 0.4", " 7 4 0 0.4", r"five\.m: the grid is in 2 pieces, .* bus 10: 1 does not \(bus 8\)"),
            (" 10 4 0 0.5", " 10 4 0 0", "reactance x is 0"),
            (" 10 4 0 0.5 0 30", " 10 4 0 0.5 0 -30", "rateA of a branch is -30"),
            (" 10 40 0", " 10 Inf 0", "power at a bus is not finite"),
            (" 10 40 0", " 11 40 0", "names bus 11"),
        ],
    )
    def test_what_makes_no_grid_is_named(self, read, old, new, says):
        assert CASE.count(old) >= 1
        with pytest.raises(emerge.GraphFileError, match=says):
            read(CASE.replace(old, new, 1))

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"voltages": "flat"}, r"voltages must be one of 'nominal', 'case', not 'flat'"),
            ({"balance": "all"}, r"balance must be one of 'spread', 'slack', not 'all'"),
            ({"frequency": 0}, r"frequency must be greater than 0"),
            ({"machines": emerge.Machines(load_inertia=[1.0])}, r"load_inertia must be one number or 4"),
        ],
    )
    def test_options_out_of_range(self, read, options, says):
        with pytest.raises(emerge.InvalidValue, match=says):
            read(**options)

    def test_files_that_are_none(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            emerge.PowerGrid.read(tmp_path / "none.m")
        with pytest.raises(emerge.InvalidType, match="path must be the name of a file"):
            emerge.PowerGrid.read(7)


class TestValue:
    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"load": []}, "load must have an entry for each bus"),
            ({"load": [0.0, np.nan, 0.0]}, "load must be finite, but entry 1"),
            ({"load": 0.6}, r"load must be a list with an entry for each bus, .* not 0\.6"),
            ({"load": [[0.0, 0.6, 0.6]]}, r"load must .* one for each bus, not \(1, 3\)"),
            ({"balance": [0.0]}, "balance must .* one for each bus"),
            ({"generator_bus": [3]}, "generator_bus holds 3, but buses are numbered from 0 to 2"),
            ({"generator_bus": ()}, "generation is fed in by generators, and there is none: tell their buses"),
            ({"limit": [1.0, 0.0, 1.0]}, "limit must be greater than 0, but that of line 1 is 0"),
            ({"limit": np.nan}, "limit must be finite"),
            ({"rating": -1.0}, "rating must be at least 0, but that of generator 0 is -1"),
            ({"slack": 3}, "slack must be from 0 to 2"),
            ({"labels": "aab"}, "labels must be 3 distinct names"),
            ({"base": -1}, "base must be greater than 0"),
            ({"machines": 5}, r"machines must be an emerge\.Machines"),
            ({"lines_on": [1, 1, 1]}, "lines_on must be 3 truth values"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, changed, says):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
            ring(**changed)

    @pytest.mark.parametrize(
        ("lines", "says"),
        [
            ([(0, 1), (1, 1)], "line 1 joins bus 1 with itself"),
            ([(0, 1), (1, 2), (1, 0)], "buses 0 and 1 are joined twice"),
            ([(0, 1)], r"in 2 pieces, .* slack, bus 0: 1 does not \(bus 2\)"),
            ([], r"in 3 pieces, .*: 2 do not \(bus 1, 2\)"),
            ([(0, 1, 2)], r"lines must have shape \(L, 2\)"),
            ([(0, 1), (1, 3)], "lines holds 3, but buses are numbered from 0 to 2"),
        ],
    )
    def test_lines_that_make_no_grid(self, lines, says):
        with pytest.raises(emerge.InvalidValue, match=says):
            emerge.PowerGrid(lines, 1.0, load=[0.0, 0.0, 0.0])

    def test_negative_capacities_are_refused(self):
        with pytest.raises(emerge.InvalidValue, match=r"capacity must be greater than 0, but that of line 0 is -2"):
            emerge.PowerGrid([(0, 1)], -2.0, load=[0.0, 0.0])

    def test_names_lead_to_numbers(self, read):
        grid = read()
        assert grid.bus("7") == 2
        assert grid.line("7", "4") == grid.line("4", "7") == 2
        with pytest.raises(emerge.InvalidValue, match="no bus is called '5'"):
            grid.bus("5")
        with pytest.raises(emerge.InvalidValue, match="no line joins 10 with 8"):
            grid.line("10", "8")

    def test_it_cannot_be_changed(self):
        grid = ring()
        with pytest.raises(AttributeError):
            grid.slack = 1
        for array in (grid.lines, grid.capacity, grid.load, grid.generation, grid.lines_on, grid.stiffness):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    def test_what_trips_takes_its_power_and_its_machines_along(self):
        grid = ring(machines=emerge.Machines(fastest=1e4))
        omega = 2 * np.pi * 50
        assert grid.inertia == pytest.approx(2 * np.array([4.0 * 1.2, 0.5 * 0.6, 0.5 * 0.6]) / omega)
        assert grid.damping == pytest.approx(np.array([2.0 * 1.2, 0.6, 0.6]) / omega)
        less = grid.without(loads=2, generators=0)
        assert less.power.tolist() == [0.0, -0.6, 0.0]
        assert less.damping == pytest.approx(np.array([0, 0.6, 0]) / omega)
        assert less.inertia[1] == grid.inertia[1]
        assert less.inertia[[0, 2]] == pytest.approx([2 * 4.0 / 1e8] * 2)
        assert grid.power.tolist() == [1.2, -0.6, -0.6]

    def test_no_bus_swings_faster_than_is_said(self):
        grid = ring(machines=emerge.Machines(0.0, 0.0, 0.0, 0.0, fastest=300.0))
        laplacian = 4.0 * np.eye(3) - 2.0 * (1 - np.eye(3))
        fastest = np.sqrt(np.linalg.eigvals(laplacian / grid.inertia[:, None]).real.max())
        assert 0.8 * 300 < fastest <= 300

    def test_nor_comes_to_rest_faster(self):
        """An inverter without inertia, whose droop damps much: with less inertia RK4 would be thrown out of range."""
        machines = emerge.Machines(generator_inertia=[4.0, 0.0], generator_damping=[2.0, 20.0], load_inertia=0.0)
        grid = ring(generator_bus=[0, 1], generation=[0.7, 0.5], rating=[1.0, 5.0], machines=machines)
        assert (grid.damping / grid.inertia).max() <= 1000 * (1 + 1e-12)
        run = grid.run(4.0, trips=emerge.Trip(1.0, line=0))
        assert abs(run.deviation).max() < 1.0
        assert abs(run.deviation[-1]).max() < 0.01

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"generator_inertia": -1.0}, "generator_inertia must be at least 0"),
            ({"load_damping": [1.0, -2.0]}, "load_damping must be at least 0, but entry 1 is -2"),
            ({"load_damping": [[1.0]]}, "load_damping must be one number or a list"),
            ({"fastest": 0.0}, "fastest must be greater than 0"),
            ({"generator_damping": np.inf}, "generator_damping must be finite"),
        ],
    )
    def test_machines_that_cannot_be(self, given, says):
        with pytest.raises(emerge.InvalidValue, match=says):
            emerge.Machines(**given)


class TestPowerFlow:
    @pytest.mark.parametrize("method", ["newton", "relax"])
    def test_power_is_conserved_at_every_bus(self, read, method):
        grid = read()
        flow = grid.power_flow(method)
        out = np.zeros(4)
        np.add.at(out, grid.lines[:, 0], flow.flows)
        np.add.at(out, grid.lines[:, 1], -flow.flows)
        assert out == pytest.approx(grid.power, abs=1e-13)
        assert flow.residual < 1e-13
        assert flow.phase[grid.slack] == 0
        assert flow.deviation == 0
        assert np.abs(flow.flows).max() > 0.1
        assert grid.flows(flow.phase).tolist() == flow.flows.tolist()

    @pytest.mark.parametrize("method", ["newton", "relax"])
    @pytest.mark.parametrize(("power", "gap"), [(0.5, 0.52359878), (0.9, 1.11976951), (0.999999, 1.56938211)])
    def test_two_buses_rest_at_the_arcsine(self, method, power, gap):
        pair = emerge.PowerGrid([(0, 1)], 1.0, load=[-power, power])
        if method == "relax" and power > 0.99:
            with pytest.raises(emerge.InvalidValue, match=r"does not come to rest so near .*: use method='newton'"):
                pair.power_flow(method)
            return
        assert pair.power_flow(method).phase == pytest.approx([0.0, -gap], abs=2e-8)
        assert pair.power_flow(method).phase == pytest.approx([0.0, -np.arcsin(power)], abs=1e-9)

    def test_infeasible_injections_say_by_how_much_and_which_lines_bind(self):
        chain = emerge.PowerGrid([(0, 1), (1, 2), (2, 3)], [2.0, 1.0, 3.0], load=[-1.25, 0.0, 0.0, 1.25], labels="abcd")
        with pytest.raises(
            emerge.Infeasible, match=r"at most 80 % of .*, 20 % too little; what binds is b–c:"
        ) as caught:
            chain.power_flow()
        assert caught.value.share == pytest.approx(0.8, abs=1e-5)
        assert caught.value.lines == (1,)
        weaker = emerge.PowerGrid([(0, 1), (1, 2), (2, 3)], [2.0, 1.3, 3.0], load=[-1.25, 0.0, 0.0, 1.25])
        assert weaker.power_flow().flows == pytest.approx([1.25] * 3)

    def test_lines_that_bind_together_are_told_together(self):
        cut = emerge.PowerGrid([(0, 1), (0, 2), (1, 3), (2, 3)], [9.0, 9.0, 1.0, 1.0], load=[-3.0, 0, 0, 3.0])
        with pytest.raises(emerge.Infeasible, match="what binds is 1–3, 2–3:") as caught:
            cut.power_flow()
        assert sorted(caught.value.lines) == [2, 3]
        assert caught.value.share == pytest.approx(2 / 3, abs=1e-5)

    def test_an_imbalance_is_shared_by_damping(self):
        grid = ring(load=[0.0, 0.6, 0.7])
        flow = grid.power_flow()
        omega = flow.deviation * 2 * np.pi
        assert omega == pytest.approx(-0.1 / grid.damping.sum())
        assert flow.flows[0] + flow.flows[2] == pytest.approx(1.2 - grid.damping[0] * omega)
        run = grid.run(1.0)  # which begins there
        assert run.deviation == pytest.approx(np.full((51, 3), flow.deviation))
        still = emerge.Machines(generator_damping=0.0, load_damping=0.0)
        with pytest.raises(emerge.InvalidValue, match=r"differ by -10 MW, and nothing damps"):
            ring(load=[0.0, 0.6, 0.7], machines=still).power_flow()

    def test_pieces_are_refused(self):
        with pytest.raises(emerge.GraphError, match=r"in 2 pieces, .* slack, bus 0: 1 does not \(bus 2\)"):
            ring().without(lines=[1, 2]).power_flow()
        with pytest.raises(emerge.InvalidValue, match="method must be one of"):
            ring().power_flow("guess")

    def test_one_bus_is_at_rest(self):
        flow = emerge.PowerGrid([], 1.0, load=[0.0]).power_flow()
        assert (flow.phase.tolist(), flow.flows.tolist()) == ([0.0], [])

    def test_a_state_that_turns_around_a_ring_is_not_mistaken_for_it(self):
        n = 12
        loop = emerge.PowerGrid([(k, (k + 1) % n) for k in range(n)], 1.0, load=np.zeros(n))
        assert loop.power_flow().flows == pytest.approx([0.0] * n)


class TestRun:
    def test_it_stays_at_the_power_flow_if_nothing_trips(self):
        run = ring().run(2.0)
        assert np.abs(run.deviation).max() < 1e-12
        assert run.flows == pytest.approx(np.tile(ring().power_flow().flows, (101, 1)), abs=1e-12)
        assert run.trips == run.overloads == ()
        assert len(run.islands) == 1

    def test_two_machines_swing_as_the_formula_says(self):
        """A9: √(K cos δ (1/M₁ + 1/M₂) − (D/2M)²) of two machines with the same D/M."""
        machines = emerge.Machines(generator_inertia=[6.0, 3.0], generator_damping=[2.0, 1.0])
        pair = emerge.PowerGrid(
            [(0, 1)], 1.5, load=[0, 0], generator_bus=[0, 1], generation=[0.75, -0.75], rating=1.0, machines=machines
        )
        rest = pair.power_flow().phase
        run = pair.run(4.0, phase=rest + np.array([0.01, 0.0]), every=0.002)
        gap = run.deviation[:, 0] - run.deviation[:, 1]
        crossings = np.flatnonzero(np.diff(np.sign(gap[1:])) != 0) + 1
        times = run.time[crossings] - gap[crossings] * np.diff(run.time)[0] / (gap[crossings + 1] - gap[crossings])
        measured = np.pi * (len(times) - 1) / (times[-1] - times[0])
        mass, damping = pair.inertia, pair.damping
        slope = 1.5 * np.cos(np.arcsin(0.5))
        expected = np.sqrt(slope * (1 / mass).sum() - (damping[0] / mass[0] / 2) ** 2)
        assert len(times) > 5
        assert measured == pytest.approx(expected, rel=1e-4)

    def test_a_line_that_trips_leaves_the_power_flow_of_the_rest(self):
        grid = ring()
        run = grid.run(60.0, trips=emerge.Trip(1.0, line=0), every=0.1)
        left = grid.without(lines=0)
        assert run.flows[-1] == pytest.approx(left.power_flow().flows, abs=1e-8)
        assert run.flows[10] == pytest.approx(grid.power_flow().flows, abs=1e-12)
        assert run.flows[-1][0] == 0
        assert run.grid.lines_on.tolist() == [False, True, True]
        assert np.abs(run.deviation[11:30]).max() > 1e-3
        assert np.abs(run.deviation[-1]).max() < 1e-8

    def test_a_generator_that_trips_is_missed_at_the_rate_of_the_inertia_left(self):
        machines = emerge.Machines(generator_inertia=5.0, load_inertia=0.0, fastest=1e3)
        grid = emerge.PowerGrid(
            [(0, 1), (1, 2), (0, 2)], 20.0, load=[0.0, 0.0, 1.0], generator_bus=[0, 1], generation=[0.9, 0.1],
            rating=1.0, machines=machines,
        )  # fmt: skip
        run = grid.run(60.0, trips=emerge.Trip(1.0, generator=1), every=0.1)
        left = grid.without(generators=1)
        assert run.steepest * 2 * np.pi == pytest.approx(-0.1 / left.inertia.sum(), rel=0.05)
        assert run.mean[-1] == pytest.approx(left.power_flow().deviation, rel=1e-3)
        assert run.nadir <= run.mean[-1] < -0.01
        assert run.islands[0].settled == pytest.approx(left.power_flow().deviation)
        assert run.islands[0].imbalance == pytest.approx(-10)

    def test_a_load_that_trips_raises_frequency(self):
        run = ring().run(5.0, trips=[emerge.Trip(0.0, load=1)])
        assert run.nadir == 0
        assert run.mean[-1] > 0.1
        assert run.steepest > 0

    def test_islands_go_on_by_themselves(self):
        grid = emerge.PowerGrid(
            [(0, 1), (1, 2), (2, 3)],
            5.0,
            load=[0, 1.0, 0, 1.0],
            generator_bus=[0, 2],
            generation=[1.2, 0.8],
            rating=2.0,
        )
        run = grid.run(80.0, trips=emerge.Trip(1.0, line=1), every=0.1)
        one, other = run.islands
        assert (one.buses.tolist(), other.buses.tolist()) == ([0, 1], [2, 3])
        assert (one.imbalance, other.imbalance) == (pytest.approx(20), pytest.approx(-20))
        assert one.deviation == pytest.approx(one.settled, rel=1e-3)
        assert one.deviation > 0.1
        assert other.deviation == pytest.approx(-one.deviation, rel=1e-2)

    def test_what_nothing_damps_drifts_for_ever(self):
        still = emerge.Machines(generator_damping=0.0, load_damping=0.0)
        run = ring(machines=still).run(2.0, trips=emerge.Trip(0.0, load=2))
        assert run.islands[0].settled == np.inf
        assert run.mean[-1] == pytest.approx(0.6 * 2.0 / run.grid.inertia.sum() / (2 * np.pi), rel=1e-6)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_the_same_bits_for_any_team(self, threads):
        trips = [emerge.Trip(0.1, line=0), emerge.Trip(0.2, load=1)]
        first, other = ring().run(0.5, trips=trips), ring().run(0.5, trips=trips, threads=threads)
        assert np.array_equal(first.deviation, other.deviation)
        assert np.array_equal(first.flows, other.flows)

    @pytest.mark.parametrize(
        ("trips", "says"),
        [
            (lambda: emerge.Trip(-1.0, line=0), "at must be at least 0"),
            (lambda: emerge.Trip(np.nan, line=0), "at must be finite"),
            (lambda: emerge.Trip(1.0), "one line, one generator or one load, not of none"),
            (lambda: emerge.Trip(1.0, line=0, load=1), "not of line and load"),
            (lambda: emerge.Trip(1.0, line=0.5), "line must be a whole number"),
            (lambda: emerge.Trip(1.0, line=3), "there is no line 3: the grid has 3"),
            (lambda: emerge.Trip(1.0, generator=1), "there is no generator 1"),
            (lambda: emerge.Trip(1.0, load=0), "bus 0 takes nothing, so it has no load that could trip"),
            (lambda: emerge.Trip(2.0, line=0), "line 0 trips at 2 s, but the run ends at 2 s"),
            (lambda: emerge.Trip(0.001, line=0), r"between ticks of dt = 0\.002: 0\.001 s is not, 0 s is"),
            (lambda: [emerge.Trip(0.1, line=0), emerge.Trip(0.2, line=0)], "line 0 trips twice"),
            (lambda: [3], "trips must be emerge.Trip values, not 3"),
        ],
    )
    def test_trips_that_cannot_be(self, trips, says):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
            ring().run(2.0, trips=trips())

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"dt": 0.003}, r"dt must be at most 0\.0026 s where buses swing at up to 1000 rad/s"),
            ({"every": 0.003}, "every must be a whole number of ticks"),
            ({"every": 0.6}, "the duration must be a whole number of samples"),
            ({"overload": -1.0}, "overload must be at least 0"),
            ({"overload": True}, "overload must be seconds for which .*, not True"),
            ({"overload": 0.5}, "overload needs lines that have a limit, and none has one"),
            ({"phase": [0.0]}, r"phase must be one number or have shape \(3,\), one for each bus"),
            ({"progress": 3}, "progress must be True, False or a callable"),
        ],
    )
    def test_runs_that_cannot_be(self, options, says):
        with pytest.raises((emerge.InvalidValue, emerge.InvalidType), match=says):
            ring().run(2.0, **options)
        with pytest.raises(emerge.InvalidValue, match="one for each bus"):
            ring().flows([0.0])

    def test_what_is_out_of_service_cannot_trip_again(self):
        with pytest.raises(emerge.InvalidValue, match="line 0 is out of service already"):
            ring().without(lines=0).run(2.0, trips=emerge.Trip(1.0, line=0))


def three_ways(limits):
    """Power of 1 from bus 0 to bus 1: direct, over 2, and over 3."""
    return emerge.PowerGrid(
        [(0, 1), (0, 2), (2, 1), (0, 3), (3, 1)], [8.0, 8.0, 8.0, 6.0, 6.0], load=[0, 1.0, 0, 0], generator_bus=[0],
        generation=1.0, limit=limits,
    )  # fmt: skip


class TestCascade:
    """Direct 8, over 2 and over 3 nearly 4 and 3: without the direct way nearly 4/7 and 3/7."""

    LIMITS = (np.inf, 0.5, np.inf, 0.9, np.inf)

    def test_lines_that_bear_too_much_trip_one_after_another(self):
        run = three_ways(self.LIMITS).run(20.0, trips=emerge.Trip(1.0, line=0), overload=0.5)
        assert [trip.line for trip in run.overloads] == [1, 3]
        assert [len(stage) for stage in run.stages] == [1, 1]
        first, second = (trip.at for trip in run.overloads)
        assert 1.5 <= first < second
        assert sorted(run.beyond.tolist()) == [1, 3]
        assert [island.buses.tolist() for island in run.islands] == [[1, 2, 3], [0]]
        assert run.islands[1].settled > 0 > run.islands[0].settled

    def test_they_hold_where_nobody_watches_or_limits_are_wide(self):
        for limits, overload in ((self.LIMITS, None), ((9.0,) * 5, 0.5), ((np.inf,) * 4 + (9.0,), 0.0)):
            run = three_ways(limits).run(20.0, trips=emerge.Trip(1.0, line=0), overload=overload)
            assert run.overloads == ()
            assert len(run.islands) == 1
            assert (run.beyond.tolist() == [1]) == (overload is None)

    def test_a_swing_that_is_short_is_borne(self):
        limits = (np.inf, 0.62, np.inf, np.inf, np.inf)
        grid = three_ways(limits)
        swing = grid.run(20.0, trips=emerge.Trip(1.0, line=0))
        assert swing.beyond.tolist() == [1]
        assert swing.loading[-1, 1] < 1
        assert [t.line for t in grid.run(20.0, trips=emerge.Trip(1.0, line=0), overload=0.0).overloads] == [1]
        assert grid.run(20.0, trips=emerge.Trip(1.0, line=0), overload=5.0).overloads == ()

    def test_it_is_told_in_words(self):
        run = three_ways(self.LIMITS).run(20.0, trips=emerge.Trip(1.0, line=0), overload=0.5)
        text = str(run)
        for part in ("line 0–1 at 1 s", "nadir", "Hz/s", "line 0–2, ", "island ", "overload "):
            assert part in text
        assert repr(run).startswith("GridRun(20 s, 1 trip, 2 overloads, nadir -")


class TestPicture:
    def test_frequency_and_flows_are_drawn_with_units_and_marks(self, tmp_path):
        pytest.importorskip("matplotlib", reason="extra plot")
        run = three_ways(TestCascade.LIMITS).run(10.0, trips=emerge.Trip(1.0, line=0), overload=0.5)
        above, below = run.picture(title="three ways").axes
        assert above.get_ylabel() == "deviation (Hz)"
        assert (below.get_xlabel(), below.get_ylabel()) == ("time (s)", "flow / limit (%)")
        assert [text.get_text().strip() for text in above.texts] == ["line 0–1"]
        means = {line.get_label(): line.get_ydata() for line in above.lines if line.get_label().startswith("mean")}
        assert list(means) == [
            "mean of the largest island,\n3 of 4 buses",
            "mean of another island,\n1 of 4 buses",
        ]
        for island, mean in zip(run.islands, means.values(), strict=True):
            assert mean == pytest.approx(island.mean)
        overloads = [line.get_xdata()[0] for line in below.lines if line.get_linewidth() == 0.5]
        assert overloads == [trip.at for trip in run.overloads]
        assert below.get_ylim()[1] <= 300
        assert [line.get_label() for line in below.lines[:2]] == ["0–2", "0–3"]
        for ending, start in (("png", b"\x89PNG"), ("PDF", b"%PDF"), ("svg", b"<?xml")):
            run.save(tmp_path / f"run.{ending}")
            assert (tmp_path / f"run.{ending}").read_bytes().startswith(start)
        with pytest.raises(emerge.InvalidValue, match=r"cannot be written as \.m: its file may end in .*\.png"):
            run.save(tmp_path / "run.m")
        run.save(tmp_path / "run")
        assert (tmp_path / "run").read_bytes().startswith(b"\x89PNG")

    def test_without_limits_it_is_the_flow_in_megawatts(self):
        pytest.importorskip("matplotlib", reason="extra plot")
        run = ring().run(10.0, trips=emerge.Trip(0.5, line=1))
        figure = run.picture(lines=2)
        assert [axes.get_ylabel() for axes in figure.axes] == ["deviation (mHz)", "flow (MW)"]
        mean = next(line for line in figure.axes[0].lines if line.get_label() == "mean by inertia")
        assert mean.get_ydata() == pytest.approx(1000 * run.mean)
        with pytest.raises(emerge.InvalidValue, match="lines must be at least 1"):
            ring().run(1.0).picture(lines=0)


@pytest.fixture(params=["case2869pegase.m", "case9241pegase.m"])
def real(request):
    if not (DATA / request.param).exists():
        pytest.skip(f"{request.param} is not beside the project")
    return lambda: emerge.PowerGrid.read(DATA / request.param)


class TestRealGrids:
    def test_power_flow_is_the_published_one(self, real):
        grid = real()
        flow = grid.power_flow()
        sine = np.abs(flow.flows / grid.capacity).max()
        assert sine == pytest.approx({2869: 0.423, 9241: 0.463}[len(grid)], abs=5e-4)
        assert flow.residual < 1e-9

    def test_more_than_they_carry_is_told(self, real):
        grid = real()
        import dataclasses

        more = dataclasses.replace(grid, load=4 * grid.load, generation=4 * grid.generation, balance=4 * grid.balance)
        with pytest.raises(emerge.Infeasible, match="what binds is") as caught:
            more.power_flow()
        assert 0.3 < caught.value.share < 0.9
        assert len(caught.value.lines) >= 1

    def test_a_line_trips(self, real):
        grid = real()
        flow = grid.power_flow()
        worst = int(np.argmax(np.abs(flow.flows)))
        run = grid.run(0.5, trips=emerge.Trip(0.1, line=worst), phase=flow.phase, every=0.1)
        assert run.flows[-1][worst] == 0
        assert np.abs(run.deviation[:2]).max() < 1e-6
        assert np.abs(run.deviation[-1]).max() > 1e-3
