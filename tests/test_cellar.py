"""The C programs of `tests/c`: plain, under ThreadSanitizer, and under Address- and UndefinedBehaviorSanitizer."""

import os
import platform
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CELLAR = HERE.parent / "emerge_ext"
PROGRAMS = sorted(path.stem for path in (HERE / "c").glob("test_*.c"))
SANITIZERS = {
    "plain": ["-O2"],
    "yielding": ["-O2", "-DEM_TEAM_YIELDS"],
    "thread": ["-O1", "-fsanitize=thread"],
    "address": ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
}
NEEDS_ISAS = {"test_step", "test_swarm"}
YIELDING = {"test_avalanche", "test_history", "test_steal", "test_step", "test_swarm", "test_team", "test_trial"}
"""Those whose threads meet by `em_team.h`, which has two ways to wait; what is compiled for all has none."""
COUNTS_MALLOC = ["-DCHECK_MALLOC", "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc"]
ALONE = {"test_noise", "test_phase", "test_random", "test_shuffle"}
THREADS = [1, 2, 3, 5, 8, 16]
COMPILING = 300
"""Seconds that a compiler may take: with a sanitizer a kernel's variants take one minute on a machine that is free."""

compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
pytestmark = pytest.mark.skipif(
    compiler is None or not CELLAR.is_dir(), reason="a C compiler and the sources of the cellar are needed"
)


@pytest.fixture(scope="module")
def compiled(request, tmp_path_factory):
    """Compile a program once for each sanitizer, and what programs share once for all of them.

    All that is going to be asked for is compiled first, two at a time, so that nothing is compiled beside threads that
    wait for each other by spinning; the rest when it is asked for.
    """
    folder = tmp_path_factory.mktemp("cellar")
    pool, shared, made = ThreadPoolExecutor(2), {}, {}

    def command(sanitizer, *words):
        flags = ["-std=c11", "-D_GNU_SOURCE", "-g1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
        return [compiler, *flags, *SANITIZERS[sanitizer], f"-I{CELLAR}", f"-I{HERE / 'c'}", *map(str, words)]

    def isa(sanitizer, source):
        target = folder / f"{source.stem}-{sanitizer}.o"
        return pool.submit(build, command(sanitizer, "-c", source, "-o", target), target)

    def isas(sanitizer):
        kind = "plain" if sanitizer == "yielding" else sanitizer
        if kind not in shared:
            shared[kind] = [isa(kind, source) for source in sorted(CELLAR.glob("em_isa_*.c"))]
        return shared[kind]

    def begin(program, sanitizer, source=None):
        objects = isas(sanitizer) if program in NEEDS_ISAS else []
        counting = COUNTS_MALLOC if program == "test_swarm" and sanitizer == "plain" else []
        source, target = source or HERE / "c" / f"{program}.c", folder / f"{program}-{sanitizer}"

        def link():
            others = [one.result() for one in objects]
            return build(command(sanitizer, *counting, source, *others, "-o", target, "-pthread", "-lm"), target)

        made[program, sanitizer] = pool.submit(link)

    def compile_program(program, sanitizer, source=None):
        if (program, sanitizer) not in made:
            begin(program, sanitizer, source)
        return made[program, sanitizer].result()

    for item in request.session.items:
        if item.module is request.module and item.originalname == "test_program":
            asked = item.callspec.params["program"], item.callspec.params["sanitizer"]
            if asked not in made:
                begin(*asked)
    wait(made.values())
    yield compile_program
    pool.shutdown(cancel_futures=True)


def build(command, target):
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILING)
    assert done.returncode == 0, done.stderr
    return target


def runs():
    """Yield every program with each sanitizer and numbers of threads."""
    for program in PROGRAMS:
        for sanitizer in SANITIZERS:
            if sanitizer != "yielding" or program in YIELDING:
                for threads in [1] if program in ALONE else THREADS:
                    yield pytest.param(program, threads, sanitizer, id=f"{program}-{threads}-{sanitizer}")


def test_who_meets_by_the_team_is_listed():
    includes = {path.stem: re.findall(r'#include "(em_\w+)\.h"', path.read_text()) for path in CELLAR.glob("em_*.[hc]")}

    def reached(names):
        return set(names) | {one for name in names for one in reached(includes[name])}

    meets = {
        program
        for program in PROGRAMS
        if "em_team" in reached(re.findall(r'#include "(em_\w+)\.h"', (HERE / "c" / f"{program}.c").read_text()))
    }
    assert meets == YIELDING
    assert not any("em_team" in reached([name]) for name in includes if name.startswith("em_isa_"))


@pytest.mark.timeout(3 * COMPILING)
@pytest.mark.parametrize(("program", "threads", "sanitizer"), list(runs()))
def test_program(compiled, program, sanitizer, threads):
    command = [str(compiled(program, sanitizer)), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize(
    ("machine", "order"),
    [
        ("team", "release"),
        ("team", "acquire"),
        ("team", "acq_rel"),
        ("steal", "release"),
        ("steal", "acquire"),
        ("rcu", "release"),
        ("rcu", "seq_cst"),
        ("ring", "release"),
        ("ring", "acquire"),
    ],
)
def test_the_race_detector_sees_a_weakened_machine(compiled, tmp_path, machine, order):
    source = tmp_path / "weakened.c"
    source.write_text(
        "#include <stdatomic.h>\n"
        f"#define memory_order_{order} memory_order_relaxed\n"
        f'#include "em_{machine}.h"\n'
        f'#undef memory_order_{order}\n#include "{HERE / "c" / f"test_{machine}.c"}"\n'
    )
    program = compiled(f"weakened-{machine}-{order}", "thread", source)
    done = subprocess.run([str(program), "3"], capture_output=True, text=True, timeout=110)
    assert done.returncode != 0
    assert "data race" in done.stderr


@pytest.mark.parametrize(
    ("machine", "operation", "plain"),
    [
        ("build", r"atomic_fetch_add_explicit\([^;]*;", "(*count += more) - more;"),
        (
            "avalanche",
            r"em_atomic_add\(&avalanche->words\[agent\][^;]*;",
            "((int64_t *)avalanche->words)[agent] += amount;",
        ),
        ("grow", r"atomic_load_explicit\([^;]*;", "*target;"),
        ("grow", r"atomic_store_explicit\([^;]*;", "*target = agent;"),
    ],
)
def test_the_race_detector_sees_what_is_not_atomic(compiled, tmp_path, machine, operation, plain):
    """Relaxed accesses cannot be weakened further but to no atomics at all."""
    text, count = re.subn(operation, plain, (CELLAR / f"em_{machine}.h").read_text())
    assert count == 1
    (tmp_path / f"em_{machine}.h").write_text(text)
    source = tmp_path / "plain.c"
    source.write_text(f'#include "em_{machine}.h"\n#include "{HERE / "c" / f"test_{machine}.c"}"\n')
    program = compiled(f"plain-{machine}-{len(plain)}", "thread", source)
    done = subprocess.run([str(program), "3"], capture_output=True, text=True, timeout=110)
    assert done.returncode != 0
    assert "data race" in done.stderr


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or len(getattr(os, "sched_getaffinity", lambda _: [0])(0)) < 2,
    reason="two processors with store buffers (x86-64) are needed",
)
def test_the_processor_shows_that_acquire_and_release_are_not_enough_for_rcu(compiled, tmp_path):
    """The race detector cannot see it: its own bookkeeping empties the store buffers."""
    weakened = (CELLAR / "em_rcu.h").read_text()
    for operation, order in {"store": "release", "load": "acquire", "exchange": "acq_rel"}.items():
        weakened, count = re.subn(
            rf"(atomic_{operation}_explicit\([^;]*?)memory_order_seq_cst", rf"\1memory_order_{order}", weakened
        )
        assert count
    assert "memory_order_seq_cst" not in weakened
    (tmp_path / "em_rcu.h").write_text(weakened)
    source = tmp_path / "weakened.c"
    source.write_text(f'#include "em_rcu.h"\n#include "{HERE / "c" / "test_rcu.c"}"\n')
    program = compiled("weakened-rcu-acq_rel", "address", source)
    for _ in range(200):
        done = subprocess.run([str(program), "1"], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            break
    assert "heap-use-after-free" in done.stderr or "does not hold" in done.stderr
