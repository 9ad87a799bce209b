"""Taichi on any graph: sine and cosine once for each agent, then rows, as two parallel loops of one kernel."""

import os
from functools import cache

import numpy as np

from . import gains, rows

NAME = "Taichi"
NEEDS = ("taichi",)
KINDS, MOST = ("ring", "other"), 10**7
os.environ.setdefault("ENABLE_TAICHI_HEADER_PRINT", "0")


@cache
def kernel():
    import taichi as ti

    ti.init(arch=ti.cpu, default_fp=ti.f64, log_level=ti.WARN, fast_math=True)

    def advance(phase, phasor, starts, neighbour, gain, frequency, dt):
        for i in range(phase.shape[0]):
            phasor[i] = ti.Vector([ti.cos(phase[i]), ti.sin(phase[i])])
        for i in range(phase.shape[0]):
            field = ti.Vector([0.0, 0.0])
            for k in range(starts[i], starts[i + 1]):
                field += phasor[neighbour[k]]
            pull = field[1] * phasor[i][0] - field[0] * phasor[i][1]
            new = phase[i] + dt * (frequency[i] + gain[i] * pull)
            phase[i] = new - 2 * np.pi * ti.floor(new / (2 * np.pi))

    floats, ints = ti.types.ndarray(ti.f64, 1), ti.types.ndarray(ti.i32, 1)
    pairs = ti.types.ndarray(ti.types.vector(2, ti.f64), 1)
    advance.__annotations__ = {
        "phase": floats, "phasor": pairs, "starts": ints, "neighbour": ints, "gain": floats, "frequency": floats,
        "dt": ti.f64,
    }  # fmt: skip
    return ti.kernel(advance)


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import taichi as ti

    advance = kernel()
    starts, neighbour, degree = rows(topology)

    def held(values, kind):
        array = ti.ndarray(kind, len(values))
        array.from_numpy(np.ascontiguousarray(values))
        return array

    starts, neighbour = held(starts.astype(np.int32), ti.i32), held(neighbour, ti.i32)
    gain, frequency = held(gains(degree, coupling), ti.f64), held(frequency, ti.f64)
    phase_, phasor = ti.ndarray(ti.f64, len(degree)), ti.ndarray(ti.types.vector(2, ti.f64), len(degree))

    def tick(phase, ticks):
        phase_.from_numpy(np.array(phase))
        for _ in range(ticks):
            advance(phase_, phasor, starts, neighbour, gain, frequency, dt)
        ti.sync()
        return phase_.to_numpy()

    return tick
