"""How many workers do the batches of a swarm, and how long a batch may take: learned from those done.

Both change nothing but time: results are the same for any team and wherever batches are cut.
"""

from __future__ import annotations

__all__ = ["Pace"]

BATCH = 0.05
"""Seconds that a batch should take: often enough for Ctrl-C and a live view, seldom enough to cost nothing."""

TRIAL = 0.002
"""Seconds that another team is tried for."""

FIRST_TRIAL, SELDOM = 0.02, 0.64
"""Seconds of running before the first trial, doubled after each that changes nothing, up to so many between two."""

BETTER, HOPELESS = 0.95, 2.0
"""What another team must at most take, beside the present one, to be kept; and what ends its trial early."""


class _Measured:
    """Ticks done by one team since it was last judged."""

    __slots__ = ("seconds", "ticks")

    def __init__(self) -> None:
        self.ticks, self.seconds = 0, 0.0

    def add(self, ticks: int, seconds: float) -> None:
        self.ticks += ticks
        self.seconds += seconds

    @property
    def of_a_tick(self) -> float:
        return self.seconds / self.ticks


class Pace:
    """Plans the batches of one swarm, from run to run.

    Where several teams may serve (`team.choice`), the next smaller and the next larger one are tried in turn for a
    moment, now and then, since a core that others keep busy makes a team of two slower than one worker.

    Attributes
    ----------
    workers : int
        Who is to do the next batch.
    seconds : float
        How long it may take.
    """

    def __init__(self) -> None:
        self.workers, self.seconds = 1, BATCH
        self._teams: tuple[int, ...] = ()
        self._usual = 0
        self._place = 0
        self._trial: int | None = None
        self._up = False
        self._patience = FIRST_TRIAL
        self._measured = _Measured()
        self._tried = _Measured()

    def begin(self, usual: int, teams: tuple[int, ...]) -> None:
        """Take the choice of teams for a run; what was learned holds as long as the choice is the same."""
        if (usual, teams) == (self._usual, self._teams):
            return
        self._usual, self._teams = usual, teams
        self._place, self._trial = teams.index(usual), None
        self._patience = FIRST_TRIAL
        self._measured = _Measured()
        self._plan()

    def learn(self, ticks: int, seconds: float) -> None:
        """Take the batch that was planned into account."""
        if ticks <= 0 or len(self._teams) == 1:
            return
        if self._trial is None:
            self._measured.add(ticks, seconds)
            if self._measured.seconds >= self._patience:
                self._try()
        else:
            self._tried.add(ticks, seconds)
            if self._tried.seconds >= TRIAL or self._tried.of_a_tick > HOPELESS * self._measured.of_a_tick:
                self._judge()
        self._plan()

    def _plan(self) -> None:
        """Set who does the next batch, and how long it may take."""
        place, self.seconds = self._place, BATCH
        if self._trial is not None:
            place, self.seconds = self._trial, TRIAL / 4
        elif len(self._teams) > 1:
            self.seconds = max(TRIAL / 4, min(BATCH, self._patience - self._measured.seconds))
        self.workers = self._teams[place]

    def _try(self) -> None:
        """Let the next batches be done by a neighbour of the present team: the larger and the smaller in turn."""
        places = [place for place in (self._place - 1, self._place + 1) if 0 <= place < len(self._teams)]
        self._up = not self._up
        self._trial, self._tried = places[-1 if self._up else 0], _Measured()

    def _judge(self) -> None:
        """Keep the team that was tried if it is clearly faster; what was a hiccup is then soon put right."""
        assert self._trial is not None
        self._patience = min(2 * self._patience, SELDOM)
        if self._tried.of_a_tick <= BETTER * self._measured.of_a_tick:
            self._place = self._trial
            self._patience = FIRST_TRIAL
        self._trial, self._measured = None, _Measured()
