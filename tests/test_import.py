"""What `import emerge` brings into a program: nothing that takes long and is seldom needed."""

import subprocess
import sys

import pytest

LATE = {
    "asyncio",
    "ctypes",
    "email",
    "gzip",
    "http",
    "importlib.metadata",
    "json",
    "matplotlib",
    "multiprocessing",
    "networkx",
    "numpy.testing",
    "prometheus_client",
    "random",
    "rich",
    "scipy",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "wsgiref",
}


def brought(code):
    """Modules that some lines import beyond those that NumPy does."""
    program = f"import sys, numpy\nbefore = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_it_brings_nothing_that_takes_long():
    names = brought("import emerge")
    assert "emerge.swarm" in names
    assert not names & LATE
    homes = {name.partition(".")[0] for name in names if not name.startswith("_cython_")}
    assert homes <= sys.stdlib_module_names | {"emerge", "numpy", "cython_runtime"}


def test_nor_does_a_run():
    assert not LATE & brought(
        "import emerge\n"
        "swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), phase=0.0, seed=1)\n"
        "swarm.step(), swarm.run(1.0, until=emerge.coherent(0.9), record='coherence')"
    ) - {"random"}  # NumPy's generators bring it


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import asyncio; asyncio.run(swarm.run_async(1.0))", "asyncio"),
        ("swarm.save('no/such/folder/swarm.npz')", "tempfile"),
        ("emerge.Topology.read('none.txt')", "gzip"),
    ],
)
def test_what_needs_more_brings_it(code, name):
    start = "import emerge, contextlib\nswarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0))\n"
    assert name in brought(f"{start}\nwith contextlib.suppress(OSError):\n    {code}")
