"""What this build of emerge is and what it found on this machine."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass

import numpy as np

from . import _engine, team

__all__ = ["About", "about"]


@dataclass(frozen=True, slots=True)
class About:
    """Version, build and machine; made by `about`.

    Attributes
    ----------
    version, python, numpy : str
        Versions of emerge, Python and NumPy.
    compiler : str
        What compiled the engine.
    openmp : int
        Version date of OpenMP that the engine was built with, such as 201511; 0 without.
    workers : int
        Threads that a large swarm runs on by default.
    instruction_set : str
        Variant of the hot loops that is in use.
    instruction_sets : tuple of str
        Variants that this processor can run; all give the same bits.
    """

    version: str
    python: str
    numpy: str
    compiler: str
    openmp: int
    workers: int
    instruction_set: str
    instruction_sets: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(f"{name.replace('_', ' '):17} {_shown(value)}" for name, value in asdict(self).items())


def about() -> About:
    """Tell version, compiler, OpenMP, workers and instruction set.

    Returns
    -------
    About
        A frozen record; ``print(emerge.about())`` shows it as a table.

    Examples
    --------
    >>> import emerge
    >>> emerge.about().version == emerge.__version__
    True
    """
    from . import __version__

    build = _engine.build()
    return About(
        version=__version__,
        python=platform.python_version(),
        numpy=np.__version__,
        compiler=build["compiler"],
        openmp=build["openmp"],
        workers=team.default_threads(),
        instruction_set=_engine.instruction_set(),
        instruction_sets=tuple(_engine.instruction_sets()),
    )


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
