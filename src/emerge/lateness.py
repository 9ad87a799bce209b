"""How late ticks began: percentiles of the last few thousand, and the worst of all, in memory that never grows."""

from __future__ import annotations

import numpy as np

__all__ = ["Lateness"]

KEPT = 4096


class Lateness:
    """Written by one thread; others may read it at any time."""

    def __init__(self) -> None:
        self._last = np.zeros(KEPT)
        self._count = 0
        self._worst = 0.0

    def add(self, late: float) -> None:
        """Add seconds."""
        self._last[self._count % KEPT] = late
        self._count += 1
        self._worst = max(self._worst, late)

    def told(self) -> tuple[float, float, float]:
        """Return p50 and p99 of the last, and the worst of all, in seconds; zeros before the first."""
        if not self._count:
            return 0.0, 0.0, 0.0
        p50, p99 = np.percentile(self._last[: min(self._count, KEPT)], [50, 99])
        return float(p50), float(p99), self._worst
