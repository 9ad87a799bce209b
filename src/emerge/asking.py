"""What a model asks Python for while it runs: parameters by a function of time, rates by a Python function.

Both are asked at ticks fixed beforehand, counted from the origin of the swarm's clock, so that nothing hangs on how a
run is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .model import Model

if TYPE_CHECKING:
    from ._engine import Engine

__all__ = ["Asking"]


class Asking:
    """Asks what a model wants to know, when it is due."""

    __slots__ = ("_engine", "_model")

    def __init__(self, engine: Engine, model: Model) -> None:
        self._engine, self._model = engine, model

    def ask(self, dt: float, most: int) -> int:
        """Ask for all that is due at this tick; returns how many ticks, at most so many, may pass until the next."""
        engine, model = self._engine, self._model
        intervals = [max(1, round(parameter.every / dt)) for parameter in model._functions.values()]
        tick = engine.tick if dt == engine.dt else 0
        if any(tick % interval == 0 for interval in intervals):
            model._tell(engine, engine.graph.n, engine.time)
        if model._asks:
            self._ask_for_rates()
            most = min(most, 1)
        return min([most, *(interval - tick % interval for interval in intervals)])

    def _ask_for_rates(self) -> None:
        engine, n = self._engine, self._engine.graph.n
        phase, re, im, frequency = (np.empty(n) for _ in range(4))
        engine.field(phase, re, im)
        engine.read("frequency", frequency)
        engine.give(self._model._rates(phase, re + 1j * im, frequency))  # type: ignore[attr-defined]
