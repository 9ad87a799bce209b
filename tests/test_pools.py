"""Other libraries' threads in one process: each pool does its work, in turn with a swarm and beside it."""

import importlib.util
import os
import subprocess
import sys

import pytest

PRODUCTS = {
    "numpy": """
def product(a):
    return a @ a
""",
    "torch": """
import torch

def product(a):
    return torch.mm(torch.from_numpy(a), torch.from_numpy(a)).numpy()
""",
    "numba": """
import numba

@numba.njit(parallel=True)
def product(a):
    out = np.zeros_like(a)
    for i in numba.prange(len(a)):
        for k in range(len(a)):
            for j in range(len(a)):
                out[i, j] += a[i, k] * a[k, j]
    return out
""",
}
"""How each library multiplies matrices on its own threads: whole numbers, so that any order of addition is right."""

PROGRAM = """
import threading

whole = np.random.default_rng(1).integers(-99, 99, (256, 256))
matrix, right = whole.astype(float), whole @ whole

def swarm(threads):
    web = emerge.Topology.ring(5000, degree=6)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), frequency=np.arange(5000) * 1e-4, seed=1, threads=threads)

one, other = swarm(2), swarm(1)
for _ in range(30):
    one.step(5)
    assert (product(matrix) == right).all()
beside = threading.Thread(target=lambda: one.step(300))
beside.start()
rounds = 0
while beside.is_alive() or rounds == 0:
    assert (product(matrix) == right).all()
    rounds += 1
beside.join()
other.step(450)
assert one.phase.tobytes() == other.phase.tobytes()
assert one.metrics().workers == 2
assert one.check() == ()
print("all right")
"""


@pytest.mark.parametrize("first", [True, False], ids=["emerge first", "emerge last"])
@pytest.mark.parametrize("library", PRODUCTS)
def test_a_swarm_and_another_pool_do_not_disturb_each_other(library, first):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    imports = ["import emerge\n", "import numpy as np\n" + PRODUCTS[library]]
    code = "".join(imports if first else reversed(imports)) + PROGRAM
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    environment.pop("OMP_WAIT_POLICY", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=110)
    assert (done.returncode, done.stdout) == (0, "all right\n"), done.stderr
