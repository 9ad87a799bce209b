"""How the one extension is compiled, and nothing else.

EMERGE_OPENMP=1 makes a compiler without OpenMP an error, 0 builds without it; unset, it is used where a few
lines compile and link with it. EMERGE_CFLAGS adds flags, for sanitizers and experiments.
"""

import os
import shlex
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PROBE = """
#include <omp.h>
int main(void)
{
    int n = 0;
    #pragma omp parallel reduction(+ : n)
    n += omp_get_num_threads();
    return n == 0;
}
"""
MSVC = ["/std:c11", "/experimental:c11atomics", "/O2", "/fp:precise"]
# Contraction and reassociation stay off: the same bits on every processor. No loop here reads errno or traps.
OTHERS = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"]
OPENMP = {"msvc": (["/openmp:llvm"], [])}
OPENMP_APPLE = (["-Xpreprocessor", "-fopenmp"], ["-lomp"])
OPENMP_OTHERS = (["-fopenmp"], ["-fopenmp"])


class Build(build_ext):
    """Add the compiler's own flags, and OpenMP where it works."""

    def build_extensions(self) -> None:
        """Choose the flags, then compile."""
        kind = self.compiler.compiler_type
        compile_args = list(MSVC if kind == "msvc" else OTHERS)
        link_args: list[str] = []
        wish = os.environ.get("EMERGE_OPENMP", "")
        openmp = OPENMP.get(kind, OPENMP_APPLE if sys.platform == "darwin" else OPENMP_OTHERS)
        if wish != "0" and self.links(*openmp):
            compile_args += openmp[0]
            link_args += openmp[1]
        elif wish == "1":
            raise SystemExit(
                "EMERGE_OPENMP=1, but the compiler cannot build and link a program with"
                f" {' '.join(openmp[0])}: install its OpenMP runtime, or unset EMERGE_OPENMP"
            )
        extra = shlex.split(os.environ.get("EMERGE_CFLAGS", ""))
        for extension in self.extensions:
            extension.extra_compile_args = compile_args + extra
            extension.extra_link_args = link_args + extra
        if kind != "msvc":  # its processes would write one file of debugging symbols
            self.abreast()
        super().build_extensions()

    def abreast(self) -> None:
        """Let sources, of which each instruction set has one, be compiled side by side."""
        compiled = self.compiler.compile

        def compile_all(sources: list[str], **told: Any) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                made = pool.map(lambda source: compiled([source], **told), sources)
                return [one for objects in made for one in objects]

        self.compiler.compile = compile_all

    def links(self, compile_args: list[str], link_args: list[str]) -> bool:
        """Say whether a few lines compile and link with these flags."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(PROBE)
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder, extra_postargs=compile_args)
                self.compiler.link_executable(objects, "probe", output_dir=folder, extra_postargs=link_args)
            except Exception:
                return False
        return True


setup(
    ext_modules=cythonize(
        Extension(
            "emerge._engine",
            ["emerge_ext/_engine.pyx", *sorted(glob("emerge_ext/em_isa_*.c"))],
            include_dirs=["emerge_ext"],
            depends=[*glob("emerge_ext/*.h"), *glob("emerge_ext/*.px[di]")],
        ),
        include_path=["emerge_ext"],
        language_level=3,
    ),
    cmdclass={"build_ext": Build},
)
