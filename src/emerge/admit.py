"""What is let through the door: checks of the values users pass, each made once, here.

Every function returns the value in the form the engine wants (a Python number, a fresh C-contiguous array),
or raises `InvalidType` or `InvalidValue` with one sentence. Nothing below this floor checks meaning again.
"""

from __future__ import annotations

import importlib
import operator
import threading
from math import inf, isfinite
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InvalidType, InvalidValue, MissingExtra, TooLarge

__all__ = [
    "AGENTS_MAX",
    "LONGEST",
    "agents",
    "column",
    "count",
    "extra",
    "finite",
    "generator",
    "memory",
    "places",
    "real",
    "seconds",
    "vector",
    "word",
]

LONGEST = min(1e9, threading.TIMEOUT_MAX)
"""Seconds, 30 years where the system waits that long, for which any longer timeout is taken."""

AGENTS_MAX = 2**31 - 1
"""Most agents a topology can have: neighbours are stored as 32-bit indices."""


def count(value: object, name: str, least: int = 1, most: int | None = None) -> int:
    """Return `value` as an int in [least, most], or say what is allowed."""
    number = value if type(value) is int else _whole(value, name)
    if number < least or (most is not None and number > most):
        bound = f"at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidValue(f"{name} must be {bound}, not {number}")
    return number


def _whole(value: object, name: str) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidType(f"{name} must be a whole number, not {value!r}") from None
    if isinstance(value, (bool, np.bool_)):
        raise InvalidType(f"{name} must be a whole number, not {value!r}")
    return number


def real(
    value: object, name: str, above: float | None = None, least: float | None = None, most: float | None = None
) -> float:
    """Return `value` as a finite float within the bounds, or say what is allowed."""
    number = value if type(value) is float else _number(value, name)
    if not isfinite(number):
        raise InvalidValue(f"{name} must be finite, not {number}")
    if above is not None and not number > above:
        raise InvalidValue(f"{name} must be greater than {above:g}, not {number:g}")
    if least is not None and number < least:
        raise InvalidValue(f"{name} must be at least {least:g}, not {number:g}")
    if most is not None and number > most:
        raise InvalidValue(f"{name} must be at most {most:g}, not {number:g}")
    return number


def _number(value: object, name: str) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InvalidType(f"{name} must be a number, not {value!r}") from None


def seconds(value: object, name: str) -> float | None:
    """Return a span of wall-clock time greater than 0, at most `LONGEST`; None, which leaves it open, stays None."""
    return None if value is None else min(real(value, name, above=0.0), LONGEST)


def numbers(value: object, name: str) -> npt.NDArray[Any]:
    """Return real numbers as an array of their own type and shape, perhaps the user's own."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise InvalidType(f"{name} must be real numbers in rows of equal length") from None
    if array.dtype.kind not in "fiu":
        raise InvalidType(f"{name} must be real numbers, not {array.dtype}")
    return array


def vector(value: object, name: str, n: int) -> npt.NDArray[np.float64]:
    """Return `value` as a new float64 array of shape (n,); a single number is repeated."""
    return finite(column(value, name, n, "agent"), name)


def column(value: object, name: str, n: int, each: str) -> npt.NDArray[np.float64]:
    """Do as `vector` for any thing there are n of; infinity and NaN are let through."""
    array = numbers(value, name)
    if array.ndim == 0:
        return np.full(n, array, np.float64)
    if array.shape != (n,):
        raise InvalidValue(f"{name} must be one number or have shape ({n},), one for each {each}, not {array.shape}")
    return np.array(array, dtype=np.float64, order="C")


def finite(array: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
    """Return the array if all of it is finite, or say where it is not."""
    bad = ~np.isfinite(array)
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise InvalidValue(f"{name} must be finite, but entry {where} is {array[where]}")
    return array


def agents(value: object, n: int, name: str = "agents") -> npt.NDArray[np.int64]:
    """Return agent numbers in 0..n-1 as a new one-dimensional int64 array."""
    return places(value, n, name, "agents")


def places(value: object, n: int, name: str, things: str) -> npt.NDArray[np.int64]:
    """Return numbers in 0..n-1 of some things as a new one-dimensional int64 array.

    What is checked is the copy: another thread that writes to the user's array meanwhile changes nothing.
    """
    try:
        array = np.atleast_1d(np.array(value))
    except (TypeError, ValueError):
        raise InvalidType(f"{name} must be one whole number or a one-dimensional array of them") from None
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidType(
            f"{name} must be one whole number or a one-dimensional array of them,"
            f" not an array of {array.dtype} with shape {array.shape}"
        )
    if array.min() < 0 or array.max() >= n:
        wrong = array[(array < 0) | (array >= n)][0]
        raise InvalidValue(f"{name} holds {wrong}, but {things} are numbered from 0 to {n - 1}")
    return np.ascontiguousarray(array, dtype=np.int64)


def generator(seed: object) -> np.random.Generator:
    """Return a NumPy generator for `seed`: None (fresh entropy), a whole number, or a generator as it is."""
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        return np.random.default_rng()
    return np.random.default_rng(count(seed, "seed", least=0))


def word(rng: np.random.Generator) -> int:
    """Draw 64 random bits: the key of everything that is then drawn by counters."""
    return int(rng.integers(0, 2**64, dtype=np.uint64))


def memory(size: int, what: str, cure: str = "fewer agents or edges") -> None:
    """Raise `TooLarge` if `size` bytes are more than this machine has left; small sizes always pass."""
    if size < 2**26:
        return
    left = _memory_left()
    if size > left:
        raise TooLarge(f"{what} needs {size / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are left: use {cure}")


def _memory_left() -> float:
    """Bytes that can be had, as Linux tells; infinite where nobody tells."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        left = float(next(line.split()[1] for line in lines if line.startswith("MemAvailable"))) * 1024
    except (OSError, StopIteration, ValueError):
        return inf
    try:
        group = Path("/sys/fs/cgroup")
        most, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):
        return left
    return min(left, most - used)


def extra(module: str, name: str, purpose: str) -> ModuleType:
    """Import a library of the extra `name`, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise MissingExtra(
            f"{purpose} needs {library}, which is not installed: pip install 'emerge-swarm[{name}]'"
        ) from None
