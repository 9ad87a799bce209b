"""Moments: told when an agent's phase passes 0, to whoever waits, by a clock that is moved by hand."""

import pytest

import emerge

def swarm(n=3, *, frequency=1.0, phase=0.0, coupling=0.0):
    model = emerge.Kuramoto(coupling=coupling)
    return emerge.Swarm(emerge.Topology.complete(n), model, frequency=frequency, phase=phase, threads=1)


class TestClock:
    """Ticks are due at their time, whatever rounding makes of it."""

    @pytest.mark.parametrize("start", [0.0, 1e3, 12345.678])
    @pytest.mark.parametrize("interval", [0.01, 0.1, 1 / 3])
    def test_the_loop_comes_to_rest_at_every_tick(self, start, interval):
        clock = emerge.ManualClock(start)
        one = swarm(1)
        with one.live(interval=interval, clock=clock) as live:
            for tick in range(1, 101):
                clock.advance(start + tick * interval - clock.time())
                live.settle(timeout=30)
                assert live.metrics().ticks == tick

    def test_ticks_that_a_sum_falls_short_of_are_done(self):
        clock = emerge.ManualClock()
        one = swarm(1)
        with one.live(interval=0.1, clock=clock) as live:
            clock.advance(0.3)  # 3 * 0.1 is 0.30000000000000004
            live.settle(timeout=30)
            assert live.metrics().ticks == 3
            assert live.metrics().jitter_worst < 0.3
