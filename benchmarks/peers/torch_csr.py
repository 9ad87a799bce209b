"""PyTorch: sine and cosine once for each agent, neighbours through a sparse CSR tensor, all cores."""

import numpy as np

from . import gains, rows

NAME = "PyTorch CSR"
NEEDS = ("torch",)
KINDS, MOST = ("ring", "other"), 10**7


def use(threads):
    """Let PyTorch use so many threads."""
    import torch

    torch.set_num_threads(threads)


def ticker(topology, coupling, frequency, dt):
    """Return a function that takes phases and a number of ticks and returns new phases."""
    import warnings

    import torch

    starts, neighbour, degree = rows(topology)
    n = len(degree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that CSR support is in beta
        ones = torch.ones(len(neighbour), dtype=torch.float64)
        parts = torch.from_numpy(starts.astype(np.int32)), torch.from_numpy(np.array(neighbour))
        matrix = torch.sparse_csr_tensor(*parts, ones, (n, n))
    gain, drift = torch.from_numpy(dt * gains(degree, coupling)), torch.from_numpy(dt * np.asarray(frequency))

    def tick(phase, ticks):
        phase = torch.from_numpy(np.array(phase))
        with torch.inference_mode():
            for _ in range(ticks):
                phasor = torch.stack((torch.cos(phase), torch.sin(phase)), 1)
                field = matrix @ phasor
                pull = field[:, 1] * phasor[:, 0] - field[:, 0] * phasor[:, 1]
                phase = torch.remainder(phase + drift + gain * pull, 2 * np.pi)
        return phase.numpy()

    return tick
