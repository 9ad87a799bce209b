"""A swarm in one file, written aside and renamed, so that no reader ever sees half of it.

The file is a NumPy archive (npz) without pickled objects. `FORMAT` counts the layouts; a newer one than this
version knows is refused, older ones stay readable.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import CheckpointError

__all__ = ["FORMAT", "read", "write"]

FORMAT = 1
"""Layout that this version writes."""

Arrays = dict[str, npt.NDArray[Any]]


def write(path: str | os.PathLike[str], facts: dict[str, Any], arrays: Arrays) -> None:
    """Write facts (anything that JSON can hold) and arrays; the file appears whole or not at all."""
    target = Path(path)
    header = np.array(json.dumps({"emerge": FORMAT, **facts}))
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{"header": header, **arrays})  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Arrays]:
    """Return the facts and arrays of a file that `write` made, or say what is wrong with it."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile) or "header" not in archive:
                raise CheckpointError(f"{path} is no saved swarm: Swarm.load reads what Swarm.save wrote")
            facts = json.loads(str(archive["header"]))
            arrays = {name: archive[name] for name in archive.files if name != "header"}
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError, TypeError) as wrong:
        if isinstance(wrong, CheckpointError):
            raise
        raise CheckpointError(f"{path} is no saved swarm, or is damaged: {wrong}") from None
    version = facts.pop("emerge", None)
    if not isinstance(version, int) or version > FORMAT:
        raise CheckpointError(
            f"{path} was saved in format {version}, and this version reads up to {FORMAT}: use a newer emerge"
        )
    return facts, arrays
