"""Instruction sets: each variant of the hot loops is what its name says, and who asks for another is told."""

import ast
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import emerge
from emerge import _engine

HOUSE = Path(__file__).parent.parent
CELLAR, BUILD = HOUSE / "emerge_ext", HOUSE / "setup.py"
compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")

REGISTERS = {"baseline": {"xmm"}, "avx2": {"xmm", "ymm"}, "avx512": {"xmm", "ymm", "zmm"}}
"""Vector registers that each variant may use; it must use the widest of them."""


def flags():
    """What setup.py compiles with, where the compiler is not Microsoft's."""
    for node in ast.parse(BUILD.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OTHERS":
            return ast.literal_eval(node.value)
    raise LookupError


def registers(binary):
    """Count the instructions of a file that use each kind of vector register."""
    command = ["objdump", "-d", "--no-show-raw-insn", str(binary)]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True).stdout
    uses = [set(re.findall(r"%([xyz]mm)\d", line)) for line in listing.splitlines()]
    counts = {name: sum(name in line for line in uses) for name in ("xmm", "ymm", "zmm")}
    return {name: count for name, count in counts.items() if count}


def variant(source, folder, *more):
    """Compile a file alone, as setup.py does, since functions of all variants have the same names."""
    target = folder / "variant.o"
    command = [compiler, *flags(), *more, f"-I{CELLAR}", "-c", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return target


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="x86-64 has these registers")
@pytest.mark.skipif(not (CELLAR.is_dir() and BUILD.is_file()), reason="the sources of the cellar are needed")
@pytest.mark.skipif(compiler is None or shutil.which("objdump") is None, reason="a C compiler and objdump are needed")
class TestVariants:
    @pytest.mark.parametrize("name", REGISTERS)
    def test_each_really_is_one(self, tmp_path, name):
        used = registers(variant(CELLAR / f"em_isa_{name}.c", tmp_path))
        assert used.keys() == REGISTERS[name]
        assert used[max(used)] > 100

    def test_one_that_only_has_the_name_is_found_out(self, tmp_path):
        text = (CELLAR / "em_isa_avx512.c").read_text()
        named, count = re.subn(r'target\("avx512[^"]*"\)', 'target("sse2")', text)
        assert count == 2
        source = tmp_path / "named.c"
        source.write_text(named)
        assert registers(variant(source, tmp_path)).keys() == REGISTERS["baseline"]

    def test_a_flag_for_all_would_be_found_out(self, tmp_path):
        assert registers(variant(CELLAR / "em_isa_baseline.c", tmp_path, "-mavx2")).keys() == REGISTERS["avx2"]

    def test_the_extension_holds_them_all(self):
        assert registers(_engine.__file__).keys() == set.union(*REGISTERS.values())

    def test_all_are_listed(self):
        assert {path.stem.removeprefix("em_isa_") for path in CELLAR.glob("em_isa_*.c")} == REGISTERS.keys()


def printed(command, folder, prefix=()):
    """Compile `bits.c` with all variants and return what it prints: bits by the name of the instruction set."""
    target = folder / "bits"
    sources = [HOUSE / "tests" / "c" / "bits.c", *sorted(CELLAR.glob("em_isa_*.c"))]
    call = [*command, *flags(), "-D_GNU_SOURCE", f"-I{CELLAR}", f"-I{HOUSE / 'tests' / 'c'}", *map(str, sources)]
    call += ["-o", str(target), "-pthread", "-lm"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    lines = subprocess.run(
        [*prefix, target], capture_output=True, text=True, timeout=110, check=True
    ).stdout.splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines}


@pytest.mark.skipif(not (CELLAR.is_dir() and BUILD.is_file()), reason="the sources of the cellar are needed")
@pytest.mark.skipif(compiler is None, reason="a C compiler is needed")
def test_all_give_the_same_bits_on_arm_too(tmp_path):
    """Every kind of graph, both precisions; ARM where a cross compiler and an emulator are there."""
    here = printed([compiler], tmp_path)
    assert set(here) <= {*REGISTERS, "neon"}
    bits = here[min(here)]
    assert all(other == bits for other in here.values())
    assert len(set(bits)) == 5, "each graph and precision has its own, but sums are of float64 always"
    cross, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64-static")
    if cross and emulator:
        assert printed([cross, "-static"], tmp_path, [emulator]) == {"neon": bits}


def imported(instruction_set):
    """What a program is told that imports emerge, and imports it again after the wish was taken back."""
    code = """
import os, sys
try:
    import emerge
except ValueError as error:
    print(type(error).__name__, error, sep=": ")
    assert "emerge" not in sys.modules
    del os.environ["EMERGE_ISA"]
import emerge
swarm = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)
swarm.step()
print(emerge.about().instruction_set)
"""
    environment = {**os.environ, "EMERGE_ISA": instruction_set}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("wish", ["mmx", "AVX2", " ", "avx2,baseline"])
def test_a_wish_that_cannot_be_met_is_one_sentence_and_leaves_nothing_behind(wish):
    here = emerge.about().instruction_sets
    said, used = imported(wish)
    assert said == (
        f"InvalidValue: no instruction set {wish!r} here: this processor has {', '.join(here)};"
        " set EMERGE_ISA to one of them, or unset it"
    )
    assert used == here[-1]


@pytest.mark.parametrize("wish", ["", *emerge.about().instruction_sets])
def test_a_wish_is_met(wish):
    assert imported(wish) == [wish or emerge.about().instruction_sets[-1]]
