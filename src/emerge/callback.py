"""Compiled functions that users give as models: where they are, and whether they take what the engine gives."""

from __future__ import annotations

import ctypes
from typing import Any

from .errors import InvalidType

__all__ = ["SIGNATURE", "address"]

SIGNATURE = "void (int64_t, double *, double *, double *, double *, double *, double *)"
"""What a compiled model is: count; phase, real and imaginary part of the field, frequency, parameters; rate."""

_WHOLE = ("long", "int64_t", "long long", "int64", "ssize_t", "Py_ssize_t", "npy_int64")


def address(function: object) -> int:
    """Return where a compiled function is, 0 if it is Python's; refuse one with other arguments."""
    name = type(function).__name__
    if name == "CFunc" and hasattr(function, "address"):
        return _numba(function)
    if name == "LowLevelCallable":
        return _low_level(function)
    if hasattr(function, "argtypes") and hasattr(function, "restype"):
        return _ctypes(function)
    if not callable(function):
        raise InvalidType(
            "function must be a scipy.LowLevelCallable, a numba cfunc, a ctypes function or a Python function,"
            f" not {function!r}"
        )
    return 0


def _refuse(given: object) -> InvalidType:
    return InvalidType(f"a compiled model must be {SIGNATURE}, not {given}")


def _numba(function: Any) -> int:
    kinds = [str(kind) for kind in function._sig.args]
    if (
        str(function._sig.return_type) not in ("none", "void")
        or kinds[:1] != ["int64"]
        or len(kinds) != 7
        or {kind.removesuffix("*") for kind in kinds[1:]} != {"float64"}
    ):
        raise _refuse(function._sig)
    return int(function.address)


def _low_level(function: Any) -> int:
    """Look at the signature as SciPy keeps it: that of the function, or what the user says of it."""
    signature = function.signature
    outer, _, inner = signature.rstrip(") ").partition("(")
    kinds = [kind.replace("const ", "").replace(" ", "") for kind in inner.split(",")]
    whole = {kind.replace(" ", "") for kind in _WHOLE}
    if outer.strip() != "void" or len(kinds) != 7 or kinds[0] not in whole or set(kinds[1:]) != {"double*"}:
        raise _refuse(signature)
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(next(iter(function)), signature.encode()) or 0)


def _ctypes(function: Any) -> int:
    kinds: list[Any] = list(function.argtypes or ())
    doubles = ctypes.POINTER(ctypes.c_double)
    if (
        function.restype is not None
        or len(kinds) != 7
        or kinds[0] is not ctypes.c_int64
        or set(kinds[1:])
        - {
            doubles,
            ctypes.c_void_p,
        }
    ):
        raise _refuse(f"{function.restype} {kinds}")
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)
