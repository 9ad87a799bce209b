"""How long batches are and who does them, learned from a machine that is made up: no clock in here."""

import math

import pytest

from emerge import team
from emerge.pace import BATCH, Pace


def use(pace, of_a_tick, seconds):
    """Run for so long on a machine where a tick of each team takes `of_a_tick[workers]`; seconds by team."""
    spent = dict.fromkeys(of_a_tick, 0.0)
    while sum(spent.values()) < seconds:
        workers = pace.workers
        ticks = max(1, int(pace.seconds / of_a_tick[workers]))
        pace.learn(ticks, ticks * of_a_tick[workers])
        spent[workers] += ticks * of_a_tick[workers]
    return spent


def begun(usual, *teams):
    pace = Pace()
    pace.begin(usual, teams or (usual,))
    return pace


@pytest.mark.parametrize("of_a_tick", [1e-7, 1e-3, 7.0])
def test_one_team_does_long_batches_whatever_a_tick_costs(of_a_tick):
    pace = begun(3)
    use(pace, {3: of_a_tick}, 20.0 if of_a_tick > 1 else 1.0)
    assert (pace.workers, pace.seconds) == (3, BATCH)


def test_another_team_is_tried_in_short_batches():
    pace = begun(1, 1, 2)
    lengths = set()
    for _ in range(20):
        lengths.add((pace.workers, pace.seconds < BATCH / 10))
        pace.learn(10, pace.seconds)
    assert lengths >= {(1, False), (2, True)}


def test_nothing_is_learned_from_nothing():
    pace = begun(1, 1, 2)
    before = pace.workers, pace.seconds
    pace.learn(0, 5.0)
    assert (pace.workers, pace.seconds) == before


@pytest.mark.parametrize("usual", [1, 2, 4, 6])
@pytest.mark.parametrize("best", [1, 2, 4, 6])
def test_the_fastest_team_is_found_and_kept(usual, best):
    pace = begun(usual, 1, 2, 4, 6)
    of_a_tick = {size: 1e-5 * 1.5 ** abs(math.log2(size / best)) for size in (1, 2, 4, 6)}
    use(pace, of_a_tick, 2.0)
    spent = use(pace, of_a_tick, 10.0)
    assert spent[best] > 0.99 * sum(spent.values())


def test_a_core_that_others_take_is_given_up_and_asked_for_again():
    pace = begun(2, 1, 2)
    free, busy = {1: 1e-5, 2: 7e-6}, {1: 1e-5, 2: 9e-5}
    for machine, best in ((free, 2), (busy, 1), (free, 2)):
        use(pace, machine, 2.0)
        spent = use(pace, machine, 10.0)
        assert spent[best] > 0.98 * sum(spent.values())


def test_a_hiccup_is_soon_put_right():
    pace = begun(2, 1, 2)
    free, hiccup = {1: 1e-5, 2: 7e-6}, {1: 1e-5, 2: 9e-5}
    use(pace, free, 2.0)
    while pace.workers == 2:
        pace.learn(10, 10 * hiccup[2])
    spent = use(pace, free, 1.0)
    assert spent[1] < 0.05


def test_a_team_that_is_hardly_better_is_not_worth_the_change():
    pace = begun(1, 1, 2)
    spent = use(pace, {1: 1e-5, 2: 0.97e-5}, 10.0)
    assert spent[2] < 0.01 * spent[1]


def test_a_hopeless_team_costs_little():
    pace = begun(1, 1, 2)
    spent = use(pace, {1: 1e-5, 2: 1.3e-4}, 10.0)
    assert 0 < spent[2] < 0.02 * spent[1]


def test_what_was_learned_holds_from_run_to_run_of_the_same_swarm():
    pace = begun(1, 1, 2)
    use(pace, {1: 1e-5, 2: 5e-6}, 1.0)
    pace.begin(1, (1, 2))
    assert pace.workers == 2
    pace.begin(1, (1,))
    assert pace.workers == 1


class TestChoice:
    @pytest.fixture(autouse=True)
    def cores(self, monkeypatch):
        monkeypatch.setattr(team, "default_threads", lambda: 6)

    def test_what_is_asked_for_is_given(self):
        assert team.choice(3, 10, 20) == (3, (3,))

    def test_one_block_has_one_worker(self):
        assert team.choice(None, 512, 200_000) == (1, (1,))

    def test_small_swarms_begin_with_one_and_may_try_more(self):
        assert team.choice(None, 1000, 10_000) == (1, (1, 2))
        assert team.choice(None, 5000, 50_000) == (1, (1, 2, 4, 6))

    def test_work_decides_who_begins(self):
        assert team.choice(None, 10_000, 100_000) == (2, (1, 2, 4, 6))
        assert team.choice(None, 50_000, 500_000) == (6, (1, 2, 4, 6))

    def test_large_swarms_have_all_and_try_nothing(self):
        assert team.choice(None, 10**6, 10**7) == (6, (6,))
