"""Taichi on any graph: sine and cosine once for each agent, then rows.

Two parallel loops of one kernel for each tick; for small swarms, where launching a kernel costs more than the tick,
one kernel whose outermost loop, over ticks, is serial.
"""

import contextlib
import io
import os
from functools import cache

import numpy as np

from . import gains, rows

NAME = "Taichi"
NEEDS = ("taichi",)
KINDS, MOST = ("ring", "other"), 10**7
SMALL = 4000
os.environ.setdefault("ENABLE_TAICHI_HEADER_PRINT", "0")


@cache
def started():
    import taichi

    with contextlib.redirect_stdout(io.StringIO()):  # which would be told that it starts
        taichi.init(arch=taichi.cpu, default_fp=taichi.f64, log_level=taichi.WARN)
    return taichi


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    ti = started()
    parts = rows(topology)
    n, turn = len(topology), 2 * np.pi

    def held(values, kind):
        field = ti.field(kind, len(values))
        field.from_numpy(np.ascontiguousarray(values))
        return field

    starts, neighbour = held(parts[0].astype(np.int32), ti.i32), held(parts[1], ti.i32)
    drift, gain = held(dt * np.asarray(frequency), ti.f64), held(dt * gains(parts[2], coupling), ti.f64)
    phase_, phasor = ti.field(ti.f64, n), ti.Vector.field(2, ti.f64, n)

    @ti.func
    def point(i):
        phasor[i] = ti.Vector([ti.cos(phase_[i]), ti.sin(phase_[i])])

    @ti.func
    def turned(i):
        field = ti.Vector([0.0, 0.0])
        for k in range(starts[i], starts[i + 1]):
            field += phasor[neighbour[k]]
        new = phase_[i] + drift[i] + gain[i] * (field[1] * phasor[i][0] - field[0] * phasor[i][1])
        phase_[i] = new - turn * ti.floor(new / turn)

    @ti.kernel
    def once():
        for i in range(n):
            point(i)
        for i in range(n):
            turned(i)

    @ti.kernel
    def serial(ticks: ti.i32):
        ti.loop_config(serialize=True)
        for _ in range(ticks):
            for i in range(n):
                point(i)
            for i in range(n):
                turned(i)

    def tick(phase, ticks):
        phase_.from_numpy(np.array(phase))
        if n <= SMALL:
            serial(ticks)
        else:
            for _ in range(ticks):
                once()
        ti.sync()
        return phase_.to_numpy()

    return tick
