"""What a run of a power grid tells: islands, the bus farthest off, who is out of step, what is past the model."""

import dataclasses
import inspect

import numpy as np
import pytest

import emerge
from emerge.gridtext import busiest, hertz

pytest.importorskip("scipy", reason="extra graphs")


def triangle(capacity, **options):
    """Bus 0 feeds in what 1 and 2 take."""
    given = {"load": [0.0, 0.6, 0.6], "generator_bus": [0], "generation": 1.2} | options
    return emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], capacity, **given)


def row(run, what):
    """The lines of a run's text that start so."""
    return [line[len(what) :].strip() for line in str(run).splitlines() if line.startswith(f"{what}  ")]


class TestIslands:
    """A large island that loses power, and a small heavy one that has too much: their mean would hide both."""

    def run(self):
        machines = emerge.Machines(generator_inertia=[4.0, 20.0], load_inertia=0.0)
        grid = emerge.PowerGrid(
            [(0, 1), (1, 2), (2, 3), (3, 4)], 5.0, load=[0, 0.5, 1.0, 0, 1.0], generator_bus=[0, 3],
            generation=[1.0, 1.5], rating=[1.0, 2.0], machines=machines, labels="abcde",
        )  # fmt: skip
        return grid.run(40.0, trips=emerge.Trip(1.0, line=2), every=0.1)

    def test_the_headline_is_that_of_the_largest(self):
        run = self.run()
        largest, other = run.islands
        assert (largest.buses.tolist(), other.buses.tolist()) == ([0, 1, 2], [3, 4])
        inertia = run.grid.inertia[:3]
        assert run.mean == pytest.approx(run.deviation[:, :3] @ inertia / inertia.sum())
        assert run.nadir == largest.nadir == min(largest.mean) < -1
        assert other.nadir == pytest.approx(0, abs=1e-12)
        assert other.deviation == other.mean[-1] > 0.3
        assert run.steepest * 2 * np.pi == pytest.approx(-0.5 / inertia.sum(), rel=0.1)
        assert largest.deviation == run.mean[-1] == pytest.approx(largest.settled, rel=1e-3)
        assert row(run, "largest island") == ["3 of 5 buses"]
        assert row(run, "nadir") == [hertz(run.nadir)]

    def test_both_are_in_step_and_told(self):
        run = self.run()
        assert [island.in_step for island in run.islands] == [True, True]
        assert run.slipping.size == 0
        first, second = row(run, "island")
        assert first.startswith("3 buses, -50 MW, -")
        assert second.startswith("2 buses, +50 MW, +")
        assert "out of step" not in str(run)


class TestWidest:
    def test_the_bus_that_is_farthest_off_is_named(self):
        run = triangle(2.0, labels=("plant", "town", "port")).run(5.0, trips=emerge.Trip(1.0, line=2))
        most = np.abs(run.deviation)
        swing = run.widest
        sample, bus = np.unravel_index(most.argmax(), most.shape)
        assert (swing.bus, swing.at) == (bus, run.time[sample])
        assert abs(swing.deviation) == most.max() > 10 * np.abs(run.mean).max()
        name = ("plant", "town", "port")[bus]
        assert row(run, "widest swing") == [f"bus {name}, {hertz(swing.deviation)} at {swing.at:g} s"]

    def test_below_counts_as_above_does(self):
        up = triangle(2.0).run(3.0, trips=emerge.Trip(0.0, load=1)).widest
        down = triangle(2.0).run(3.0, trips=emerge.Trip(0.0, generator=0)).widest
        assert up.deviation > 0 > down.deviation

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.0, "+0 mHz"), (-0.0123456, "-12.35 mHz"), (0.9999, "+999.9 mHz"), (-25.75, "-25.75 Hz"), (1e-9, "+0 mHz")],
    )
    def test_from_one_hertz_on_it_is_hertz(self, value, text):
        assert hertz(value) == text


class TestStep:
    def test_buses_that_fall_out_of_step_are_told(self):
        run = triangle(1.0).run(10.0, trips=emerge.Trip(1.0, line=0))
        assert run.deviation[-1] == pytest.approx([22.3, -50, -50.1], abs=0.5)
        assert run.slipping.tolist() == [2]
        assert run.apart.tolist() == pytest.approx([0, 0, 71], abs=2)
        (island,) = run.islands
        assert not island.in_step
        assert np.isnan(island.settled)
        (told,) = row(run, "out of step")
        assert told == f"line 0–2, {run.apart[2]:.4g} Hz apart"

    def test_turns_are_those_of_the_last_two_seconds(self):
        run = triangle(1.0).run(10.0, trips=emerge.Trip(1.0, line=0), every=0.002)
        middle = (run.deviation[-1001:-1] + run.deviation[-1000:]) / 2
        assert run.turns == pytest.approx(middle.sum(axis=0) * 0.002, abs=1e-3)
        short = triangle(1.0).run(0.4, trips=emerge.Trip(0.2, load=1), every=0.002)
        middle = (short.deviation[:-1] + short.deviation[1:]) / 2
        assert short.turns == pytest.approx(middle.sum(axis=0) * 0.002, rel=0.1)

    def test_a_swing_is_not_out_of_step_nor_is_a_drift_of_all(self):
        swinging = triangle(2.0).run(2.0, trips=emerge.Trip(1.0, line=0))
        assert np.ptp(swinging.deviation[-1]) > 0.1
        drifting = triangle(2.0).run(20.0, trips=emerge.Trip(1.0, load=1))
        assert drifting.mean[-1] > 5
        for run in (swinging, drifting):
            assert run.slipping.size == 0
            assert run.islands[0].in_step
            assert np.isfinite(run.islands[0].settled)
            assert row(run, "out of step") == []

    def test_more_than_five_are_counted(self):
        star = emerge.PowerGrid([(0, k) for k in range(1, 8)], 1.0, load=[-4.9, *[0.7] * 7], generator_bus=[])
        run = star.run(4.0, phase=[0.0, *[3.1] * 7])
        assert len(run.slipping) == 7
        assert len(row(run, "out of step")) == 6
        assert row(run, "out of step")[-1] == "7 in all"


class TestModelsEnd:
    def test_what_lasts_beyond_five_per_cent_ends_belief(self):
        run = triangle(2.0).run(20.0, trips=emerge.Trip(1.0, load=1), every=0.1)
        lasts = [np.abs(run.deviation[k - 4 : k + 1].mean(axis=0)).max() for k in range(5, 201)]
        first = run.time[5 + next(k for k, most in enumerate(lasts) if most > 2.5)]
        assert run.believed_until == first
        (told,) = row(run, "past the model")
        assert told.startswith(f"from {first:g} s on: a bus is off by more than 2.5 Hz; real grids have protection")

    def test_it_is_a_share_of_nominal(self):
        run = triangle(2.0).run(2.0, trips=emerge.Trip(0.0, load=1))
        assert run.believed_until < 2
        faster = dataclasses.replace(run, before=dataclasses.replace(run.before, frequency=500.0))
        assert faster.believed_until == np.inf

    def test_a_grid_that_turns_too_fast_from_the_start_is_not_believed(self):
        grid = triangle(2.0, load=[0.0, 0.3, 0.3])
        assert grid.power_flow().deviation > 2.5
        assert grid.run(1.0, every=0.1).believed_until == pytest.approx(0.4)  # five samples: half a second
        assert grid.run(0.2, every=0.1).believed_until == pytest.approx(0.2)

    def test_a_spike_does_not(self):
        """A light bus jumps to where it belongs in milliseconds."""
        grid = emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], [1.2, 0.8, 0.8], load=[-1, 1, 0])
        run = grid.run(5.0, trips=emerge.Trip(1.0, line=1), every=0.002)
        assert run.widest.bus == 2
        assert abs(run.widest.deviation) > 2.5
        assert run.believed_until == np.inf
        assert row(run, "past the model") == []


class TestStart:
    def test_lines_beyond_their_limit_at_rest_are_told_and_trip_first(self):
        grid = triangle(2.0, limit=[0.5, 1.0, 9.0])
        run = grid.run(3.0, trips=emerge.Trip(1.0, line=2), overload=0.5)
        assert run.strained.tolist() == [0]
        assert row(run, "at the start") == ["1 line beyond its limit already: 0–1, 120 %"]
        assert [(trip.line, trip.at) for trip in run.overloads[:1]] == [(0, 0.5)]
        flows = np.abs(grid.power_flow().flows)
        wider = dataclasses.replace(grid, limit=np.maximum(grid.limit, 1.1 * flows))
        held = wider.run(3.0, overload=0.5)
        assert held.overloads == ()
        assert row(held, "at the start") == []

    def test_many_are_counted_and_the_worst_is_named(self):
        run = triangle(2.0, limit=[0.5, 9.0, 0.4]).run(1.0)
        assert row(run, "at the start") == ["2 lines beyond their limit already: 0–2, 150 %"]


class TestBusiest:
    def test_a_spike_is_not_what_is_looked_at(self):
        run = triangle(2.0, limit=1.0).run(5.0, trips=emerge.Trip(1.0, line=0), every=0.1)
        flows = run.flows.copy()
        flows[:] = 0.5
        flows[20, 1] = 50.0
        flows[25:, 2] = 0.8
        run = dataclasses.replace(run, flows=flows)
        assert busiest(run, 3)[0] == 2

    def test_half_of_them_are_what_tripped_first(self):
        grid = triangle(2.0, limit=[0.5, 9.0, 9.0])
        run = grid.run(20.0, overload=0.5)
        assert [trip.line for trip in run.overloads] == [0]
        assert busiest(run, 2)[0] == 0
        assert len(set(busiest(run, 3))) == 3


class TestProgress:
    def test_it_is_told_until_the_end(self):
        told = []
        run = triangle(2.0).run(4.0, trips=emerge.Trip(1.0, line=0), progress=told.append)
        assert [now.ticks for now in told] == list(range(20, 2001, 20))
        assert {now.ticks_max for now in told} == {2000}
        assert told[-1].time == pytest.approx(4.0)
        assert told[-1].eta == 0
        assert all(now.rate > 0 for now in told)
        assert np.array_equal(run.deviation, triangle(2.0).run(4.0, trips=emerge.Trip(1.0, line=0)).deviation)

    def test_what_it_raises_ends_the_run(self):
        def stop(now):
            raise KeyError(now.ticks)

        with pytest.raises(KeyError, match="10"):
            triangle(2.0).run(1.0, progress=stop)


def test_names_that_are_imported_late_are_listed():
    listed = dir(emerge)
    assert {"PowerGrid", "Trip", "Machines", "observe", "Swarm", "__version__"} <= set(listed)
    assert set(emerge.__all__) <= set(listed)
    assert all(hasattr(emerge, name) for name in listed)


def test_what_a_case_has_too_much_is_drawn(tmp_path):
    path = tmp_path / "two.m"
    path.write_text(
        "mpc.baseMVA = 100;\nmpc.bus = [1 3 0; 2 1 50];\nmpc.gen = [1 57 0 0 0 1 100 1];\n"
        "mpc.branch = [1 2 0 0.1 0 0 0 0 0 0 1];\n"
    )
    assert "7 MW that generation and load differ by were drawn by all buses alike" in emerge.PowerGrid.read(path).notes


def test_runs_take_what_grids_say_they_do():
    from emerge.gridmotion import ran

    told, taken = inspect.signature(emerge.PowerGrid.run).parameters, inspect.signature(ran).parameters
    assert list(told)[1:] == list(taken)[1:]
