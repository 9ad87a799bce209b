"""A swarm in one file, written aside and renamed, so that no reader ever sees half of it.

The file is a NumPy archive (npz) without pickled objects. `FORMAT` counts the layouts; a newer one than this
version knows is refused, older ones stay readable.
"""

from __future__ import annotations

import json
import os
import tempfile
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
    target = Path(path).resolve()
    header = np.array(json.dumps({"emerge": FORMAT, **facts}))
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **{"header": header, **arrays})  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, _mode(target))
        os.replace(aside, target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Arrays]:
    """Return the facts and arrays of a file that `write` made, or say what is wrong with it."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                facts = json.loads(str(archive["header"]))
                arrays = {name: archive[name] for name in archive.files if name != "header"}
        except MemoryError:
            raise
        except Exception as wrong:  # a damaged archive can fail in any way that zip and NumPy know
            raise CheckpointError(f"{path} is no saved swarm, or is damaged: {wrong}") from None
    version = facts.pop("emerge", None) if isinstance(facts, dict) else None
    if not isinstance(version, int) or version > FORMAT:
        raise CheckpointError(
            f"{path} was saved in format {version}, and this version reads up to {FORMAT}: use a newer emerge"
        )
    return facts, arrays


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, or what any new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
