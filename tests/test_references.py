"""Published results, by the records of `validation/`: met, missed with other parameters, and told by the page."""

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import emerge
from emerge.run import Schedule

HOUSE = Path(__file__).parent.parent
if not (HOUSE / "validation").is_dir():
    pytest.skip("the sources of emerge are needed", allow_module_level=True)
for extra in ("networkx", "scipy", "matplotlib"):
    pytest.importorskip(extra, reason="extras graphs and plot")
sys.path.append(str(HOUSE))

from validation import networks, page, pairs, pictures, theory  # noqa: E402

OTHERS = [schedule for schedule in get_args(Schedule) if schedule != "barrier"]
PAGE = HOUSE / "docs" / "validation.md"


def deviations(row, **given):
    """How far each value is off, in tolerances."""
    if row.missing:
        pytest.skip(f"{', '.join(row.missing)} not beside the project")
    measured = row.measure(**given)
    return {
        value.name: abs(number - value.expected) / value.tolerance
        for value, number in zip(row.values, measured, strict=True)
    }


@pytest.mark.parametrize("row", page.ROWS, ids=lambda row: row.id)
def test_what_is_published_is_measured(row):
    off = deviations(row)
    assert max(off.values()) <= 1, off


@pytest.mark.parametrize("row", page.ROWS, ids=lambda row: row.id)
def test_with_other_parameters_every_value_is_missed(row):
    off = deviations(row, **row.otherwise)
    assert min(off.values()) > 1, off


@pytest.mark.parametrize("schedule", OTHERS)
@pytest.mark.parametrize("row", [row for row in page.ROWS if row.schedules], ids=lambda row: row.id)
def test_fixed_points_are_those_of_every_schedule(row, schedule):
    off = deviations(row, schedule=schedule)
    assert max(off.values()) <= 1, off


def test_a1_beyond_the_coupling_they_do_not_lock():
    model = emerge.Kuramoto(coupling=1.0, normalize="agents")
    swarm = emerge.Swarm(pairs.PAIR, model, frequency=[1.2, 0.0], phase=0.0)
    assert swarm.run(100.0, dt=0.05, until=emerge.locked(1e-6)).reason == "duration"


def test_a4_the_mode_is_the_slowest():
    value, mode = networks.slowest()
    assert 0.5 * value == pytest.approx(0.23426261, abs=1e-8)
    assert abs(mode.sum()) < 1e-12


def test_theory_is_what_the_records_expect():
    """The lines in the pictures go through the published values."""
    web = networks.random_graph()
    told = {row.id: {value.name: value.expected for value in row.values} for row in page.ROWS}
    lines = {
        "B1": {f"R, K = {k}": theory.lorentzian(k) for k in (1.25, 2, 4)},
        "B2": {f"R, K = {k}": theory.gaussian(k) for k in (1.8, 2, 3)},
        "B4": {f"R, α = {name}": theory.lorentzian(4.0, lag=float(name)) for name in (".3", ".5", "1")},
        "B5": {f"R, K = {k}": theory.noisy(k) for k in (1.5, 2)},
        "C1": {
            f"R by links, {times} Kc": theory.by_degree(times * networks.onset(web), web.degree.astype(float))
            for times in (1.5, 2)
        },
        "C3": {
            "R down − R up, K = 3": theory.inertial(3.0, 2.0, up=False),
            "R going up, K = 5": theory.inertial(5.0, 2.0, up=True),
        },
    }
    for name, values in lines.items():
        for value, number in values.items():
            assert told[name][value] == pytest.approx(number, abs=5e-4), (name, value)


def test_every_source_is_named_and_used():
    assert {source for row in page.ROWS for source in row.source.split("; ")} == set(page.SOURCES)


def test_the_page_is_what_the_records_say():
    if not PAGE.exists():
        pytest.skip("the documents of emerge are needed")
    measured = page.written(PAGE.read_text())
    assert page.text(measured) == PAGE.read_text()
    for row in page.ROWS:
        assert all(value.holds(number) for value, number in zip(row.values, measured[row.id], strict=True)), row.id


def test_a_page_with_another_tolerance_is_told_from_it():
    numbers = {row.id: [value.expected for value in row.values] for row in page.ROWS}
    right = page.text(numbers)
    assert page.written(right).keys() == numbers.keys()
    wrong = right.replace("| 0.003 |", "| 0.03 |", 1)
    assert page.text(page.written(wrong)) != wrong


def test_every_topic_has_a_picture(tmp_path):
    assert pictures.PICTURES.keys() == page.TOPICS.keys()
    pictures.draw_pairs(tmp_path / "pairs.png")
    assert (tmp_path / "pairs.png").read_bytes().startswith(b"\x89PNG")
    assert np.all(np.diff([theory.gaussian(k) for k in (1.7, 2.0, 3.0)]) > 0)
