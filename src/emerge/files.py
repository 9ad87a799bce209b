"""From files to edges: which reader an ending asks for, and the formats that have no room of their own.

Every reader returns an `EdgeList`. What is wrong with a file is a `GraphFileError` that names it and, where
the format has lines, the line. Edge lists are read by the engine, by all workers, from the file as the system maps
it into memory, or from what a compressed one holds. Only if it finds a line odd are lines looked at one by one, as
Python reads them, to take what is right in another way or to name the first that is wrong.
"""

from __future__ import annotations

import codecs
import gzip
import math
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import numpy as np

from . import admit, edges, graphs, matpower
from .edges import EdgeList
from .errors import GraphError, GraphFileError, InvalidType, InvalidValue, TooLarge

__all__ = ["ENDINGS", "case", "read"]

EDGE_LISTS = (".txt", ".tsv", ".csv")
ENDINGS = (*EDGE_LISTS, ".mtx", ".graphml", ".gml", ".npz", ".m")
"""Endings of files that can be read; each but .npz may be followed by .gz."""

NPZ_KEYS = frozenset({"format", "shape", "data", "indices", "indptr", "row", "col", "offsets", "_is_array"})
"""What `scipy.sparse.save_npz` writes."""

CHUNK = 2**20
"""Bytes that are unpacked, or looked at, at once."""

Read = TypeVar("Read")


class Layout(NamedTuple):
    """How the lines of an edge list are laid out, as the first of them show."""

    skip: int
    columns: int
    separator: str | None
    comment: str


def read(path: str | os.PathLike[str], *, directed: bool | None = None, n: int | None = None) -> EdgeList:
    """Read the edges in the file `path`, in the format that its ending tells."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidType(f"path must be the name of a file, not {path!r}")
    path = Path(path)
    name = path.name.lower()
    ending = Path(name.removesuffix(".gz")).suffix
    if ending not in ENDINGS or name.endswith(".npz.gz"):
        known = ", ".join(ENDINGS)
        raise GraphFileError(
            f"{path}: its ending tells no format; known are {known}, each but .npz also followed by .gz"
        )
    if ending not in EDGE_LISTS and (directed is not None or n is not None):
        raise InvalidValue(f"directed and n are for edge lists; {path} itself says how many agents it has")
    with _named(path):
        if ending in EDGE_LISTS:
            return _edge_list(path, ending, directed=bool(directed), n=n)
        return READERS[ending](path)


def case(path: str | os.PathLike[str]) -> matpower.Case:
    """Read the MATPOWER case in the file `path`, whatever its ending."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidType(f"path must be the name of a file, not {path!r}")
    path = Path(path)
    with _named(path), _text(path) as text:
        return matpower.case(path, text)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Look at a file, and let whatever is wrong with it name it."""
    try:
        _look(path)
        yield
    except (FileNotFoundError, GraphFileError):
        raise
    except (GraphError, InvalidType) as error:
        raise GraphFileError(f"{path}: {error}") from None
    except MemoryError:
        size = path.stat().st_size
        raise TooLarge(f"{path}, {size} bytes long, holds more than memory can be had for") from None
    except UnicodeDecodeError:
        raise GraphFileError(f"{path} is no text in UTF-8: is its ending right?") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise GraphFileError(f"{path} is no whole gzip file: {error}") from None
    except OSError as error:
        raise GraphFileError(f"{path} cannot be read: {error.strerror or error}") from None


def _look(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: give the name of a file that exists")
    if not path.is_file():
        raise GraphFileError(f"{path} is no file but a directory or device: give the name of a file")
    if path.stat().st_size == 0:
        raise GraphFileError(f"{path} is empty: a graph has at least one agent")


def _text(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _edge_list(path: Path, ending: str, *, directed: bool, n: int | None) -> EdgeList:
    if n is not None:
        n = admit.count(n, "n", most=admit.AGENTS_MAX)
    layout = _layout(path, ending)
    notes = [f"line {layout.skip} was taken as a header"] if layout.skip else []
    if layout.columns == 0:
        if n is None:
            raise GraphFileError(f"{path} holds no edges: give the number of agents n")
        return EdgeList([], n=n, directed=directed, notes=tuple(notes))
    limit = admit.AGENTS_MAX if n is None else n
    content = _content(path)
    commas, weighted = layout.separator == ",", layout.columns == 3
    listing = edges.text(content, _first(content, layout.skip), weighted=weighted, commas=commas, limit=limit)
    if listing.foreign:
        _decode(content)
    if listing.odd:
        return _scanned_list(path, layout, limit, n=n, directed=directed, notes=notes)
    return EdgeList(listing, n=n, directed=directed, notes=(*notes, *_unnamed(listing.least)))


def _scanned_list(
    path: Path, layout: Layout, limit: int, *, n: int | None, directed: bool, notes: list[str]
) -> EdgeList:
    """Read edges line by line, which takes lines that the engine finds odd, or says what is wrong with one."""
    fields = [("one", "i8"), ("other", "i8"), ("weight", "f8")][: layout.columns]
    table = np.fromiter(_scanned(path, layout, limit), np.dtype(fields))
    pairs = table.view(np.int64).reshape(table.size, layout.columns)[:, :2]
    weights = table["weight"] if layout.columns == 3 else None
    notes = [*notes, *_unnamed(int(pairs.min()))]
    return EdgeList(pairs, n=n, weights=weights, directed=directed, notes=tuple(notes))


def _unnamed(least: int) -> list[str]:
    if least == 0:
        return []
    unnamed = "agent 0 has" if least == 1 else f"agents 0 to {least - 1} have"
    return [f"the least agent number is {least}, so {unnamed} no edges"]


def _layout(path: Path, ending: str) -> Layout:
    """Look at the first lines for a header, the number of columns, and what separates them."""
    skip = 0
    comment = ""
    with _text(path) as lines:
        for number, line in enumerate(lines, 1):
            comment = comment or next((mark for mark in "#%" if mark in line), "")
            data = _data(line)
            if not data:
                continue
            separator = "," if "," in data else None
            fields = data.split(separator)
            if not skip and ending in (".csv", ".tsv") and not any(map(_is_number, fields)):
                skip = number
                continue
            if len(fields) not in (2, 3):
                raise GraphFileError(_no_edge(path, number, line, "2 or 3 columns"))
            return Layout(skip, len(fields), separator, comment or "#")
    return Layout(skip, 0, None, "#")


def _content(path: Path) -> mmap | bytearray:
    """Return all bytes: a file as it is mapped into memory, or what a compressed one holds, unpacked."""
    if not path.name.lower().endswith(".gz"):
        with path.open("rb") as file:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    content = bytearray()
    with gzip.open(path) as packed:
        while chunk := packed.read(CHUNK):
            content += chunk
    return content


def _first(content: mmap | bytearray, skip: int) -> int:
    """Return where the first line begins after those to be skipped."""
    first = len(codecs.BOM_UTF8) if content[:3] == codecs.BOM_UTF8 else 0
    for end in islice(re.finditer(rb"\r\n?|\n", content), skip):
        first = end.end()
    return first


def _decode(content: mmap | bytearray) -> None:
    """Raise UnicodeDecodeError if this is no text in UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for first in range(0, len(content), CHUNK):
        decoder.decode(content[first : first + CHUNK])
    decoder.decode(b"", final=True)


def _scanned(path: Path, layout: Layout, limit: int) -> Iterator[tuple[float, ...]]:
    """Read edges line by line, and name the first line that is none."""
    with _text(path) as lines:
        for number, line in enumerate(lines, 1):
            data = _data(line)
            if number <= layout.skip or not data:
                continue
            fields = [field.strip() for field in data.split(layout.separator)]
            if len(fields) != layout.columns:
                raise GraphFileError(_no_edge(path, number, line, f"{layout.columns} columns"))
            for field in fields[:2]:
                if not re.fullmatch(r"\+?[0-9]+", field):
                    raise GraphFileError(_no_edge(path, number, line, "agents as whole numbers from 0"))
                if int(field) >= limit:
                    raise GraphFileError(_no_edge(path, number, line, f"agents from 0 to {limit - 1}"))
            if layout.columns == 3 and not (_is_number(fields[2]) and math.isfinite(float(fields[2]))):
                raise GraphFileError(_no_edge(path, number, line, "a finite number as weight"))
            yield (int(fields[0]), int(fields[1]), *map(float, fields[2:]))


def _data(line: str) -> str:
    return re.split("[#%]", line, maxsplit=1)[0].strip()


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _no_edge(path: Path, number: int, line: str, wanted: str) -> str:
    shown = line.strip()
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return f"{path}, line {number}: {shown!r} is no edge; a line of this file must have {wanted}"


def _foreign(path: Path, what: str, read_it: Callable[[], Read]) -> Read:
    """Call another library's reader; whatever it raises about the content, say which file it was."""
    try:
        return read_it()
    except (MemoryError, OSError, EOFError, UnicodeDecodeError, zlib.error):
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GraphFileError(f"{path} is no {what}: {reason}") from error


def _matrix_market(path: Path) -> EdgeList:
    io = admit.extra("scipy.io", "graphs", "reading Matrix Market files")
    matrix = _foreign(path, "Matrix Market file", lambda: io.mmread(str(path)))
    return graphs.from_scipy(matrix, weighted=True, labels=None)


def _npz(path: Path) -> EdgeList:
    sparse = admit.extra("scipy.sparse", "graphs", "reading sparse matrices")

    def load() -> Any:
        with np.load(path, allow_pickle=False) as archive:
            found = set(getattr(archive, "files", ()))
        if not {"format", "shape", "data"} <= found <= NPZ_KEYS:
            raise InvalidValue(f"it holds {sorted(found)}, and not what scipy.sparse.save_npz writes")
        matrix = sparse.load_npz(path)
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)
        return matrix

    return graphs.from_scipy(_foreign(path, "saved sparse matrix", load), weighted=True, labels=None)


def _graphml(path: Path) -> EdgeList:
    networkx = admit.extra("networkx", "graphs", "reading GraphML files")
    graph = _foreign(path, "GraphML file", lambda: networkx.read_graphml(path))
    for attribute in ("label", "name"):
        named = [label for _, label in graph.nodes(data=attribute) if label is not None]
        if len(named) == len(graph) and len(set(named)) == len(named):
            return graphs.from_networkx(graph, weight="weight", labels=named)
    return graphs.from_networkx(graph, weight="weight")


def _gml(path: Path) -> EdgeList:
    networkx = admit.extra("networkx", "graphs", "reading GML files")

    def load() -> Any:
        try:
            return networkx.read_gml(path, label="label")
        except networkx.NetworkXError:  # nodes without labels, or with the same
            return networkx.read_gml(path, label="id")

    return graphs.from_networkx(_foreign(path, "GML file", load), weight="weight")


def _matpower(path: Path) -> EdgeList:
    with _text(path) as text:
        return matpower.read(path, text)


READERS: dict[str, Callable[[Path], EdgeList]] = {
    ".mtx": _matrix_market,
    ".graphml": _graphml,
    ".gml": _gml,
    ".npz": _npz,
    ".m": _matpower,
}
