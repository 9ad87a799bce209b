"""Power grids in MATPOWER's case format, read as swarms: buses are agents, branches are edges.

Only literal values are read: `mpc.baseMVA` and the matrices `bus`, `gen` and `branch`; code that computes is
refused. The network is taken as lossless with nominal voltages, which makes the swing equation's phase model:
the weight of a branch is 1/|x|, and parallel branches add up.

Source: R. D. Zimmerman, C. E. Murillo-Sánchez, R. J. Thomas, IEEE Trans. Power Systems 26(1), 12-19 (2011),
doi:10.1109/TPWRS.2010.2051168; MATPOWER User's Manual, appendix B. Columns here count from 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .edges import EdgeList
from .errors import GraphFileError

__all__ = ["Case", "Matrix", "case", "read"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BUS_NUMBER, BUS_LOAD = 0, 2
GEN_BUS, GEN_POWER, GEN_STATUS = 0, 1, 7
BRANCH_FROM, BRANCH_TO, BRANCH_X, BRANCH_STATUS = 0, 1, 3, 10
COLUMNS = {"bus": 3, "gen": 8, "branch": 11}
"""Columns that a matrix must have at least."""

ASSIGNMENT = re.compile(r"(?:[A-Za-z]\w*\.)?(baseMVA|bus|gen|branch)\s*(\(.*?\))?\s*=(?!=)\s*(.*)", re.DOTALL)
OUTSIDE = re.compile(r"'[^'\n]*'|%|\.\.\.")


@dataclass
class Matrix:
    """Rows of numbers, and the line each stands in."""

    name: str
    rows: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def column(self, k: int) -> Floats:
        """Return one column."""
        return np.array([row[k] for row in self.rows], dtype=np.float64)


@dataclass
class Case:
    """The matrices of a case, what is in service, and where that is."""

    path: Path
    base: float
    bus: Matrix
    gen: Matrix
    branch: Matrix
    number: dict[int, int]
    running: Mask
    closed: Mask
    at: Ints
    """Of the generators that run, as `one`, `other` and `weight`, 1/|x|, are of the branches that are closed."""
    one: Ints
    other: Ints
    weight: Floats

    @property
    def n(self) -> int:
        """How many buses there are."""
        return len(self.number)

    def generation(self) -> Floats:
        """Return the power that each running generator feeds in, in MW; all power in the case is finite."""
        generation = self.gen.column(GEN_POWER)[self.running]
        if not (np.isfinite(generation).all() and np.isfinite(self.bus.column(BUS_LOAD)).all()):
            raise GraphFileError(f"{self.path}: the power at a bus is not finite; give loads and generation as numbers")
        return generation


def case(path: Path, text: Iterable[str]) -> Case:
    """Read a case from its lines."""
    base, matrices = _parsed(path, text)
    bus, gen, branch = matrices["bus"], matrices["gen"], matrices["branch"]
    number = _buses(path, bus)
    running = gen.column(GEN_STATUS) > 0
    closed = branch.column(BRANCH_STATUS) > 0
    at = _at(path, gen, GEN_BUS, number, running)
    one = _at(path, branch, BRANCH_FROM, number, closed)
    other = _at(path, branch, BRANCH_TO, number, closed)
    weight = _weights(path, branch, closed)
    return Case(path, base, bus, gen, branch, number, running, closed, at, one, other, weight)


def read(path: Path, text: Iterable[str]) -> EdgeList:
    """Read a case from its lines; frequency is the power injected at a bus by the sum of its weights."""
    found = case(path, text)
    one, other, closed, weight, n = found.one, found.other, found.closed, found.weight, found.n
    power = np.bincount(found.at, found.generation(), n) - found.bus.column(BUS_LOAD)
    power = (power - power.mean()) / found.base
    proper = np.where(one == other, 0.0, weight)
    total = np.bincount(one, proper, n) + np.bincount(other, proper, n)
    notes = ["branches are taken as lossless: resistance, charging, taps and phase shifts are ignored"]
    left = int(np.count_nonzero(~closed))
    if left:
        notes.append(f"{left} {'branch was' if left == 1 else 'branches were'} left out, being out of service")
    return EdgeList(
        np.column_stack([one, other]),
        n=n,
        weights=weight,
        labels=[str(bus) for bus in found.number],
        frequency=np.divide(power, total, out=power.copy(), where=total > 0),
        notes=tuple(notes),
    )


def _buses(path: Path, bus: Matrix) -> dict[int, int]:
    """Return the agent of each bus number."""
    number: dict[int, int] = {}
    for agent, (row, line) in enumerate(zip(bus.rows, bus.lines, strict=True)):
        value = row[BUS_NUMBER]
        if not value.is_integer() or value < 0:
            raise GraphFileError(f"{path}, line {line}: bus number {value:g} is no whole number from 0")
        if int(value) in number:
            raise GraphFileError(f"{path}, line {line}: bus {value:.0f} stands in the list a second time")
        number[int(value)] = agent
    if not number:
        raise GraphFileError(f"{path}: mpc.bus has no rows; a graph has at least one agent")
    return number


def _at(path: Path, matrix: Matrix, column: int, number: dict[int, int], wanted: Mask) -> Ints:
    """Return the agents of the buses in a column, of the wanted rows."""
    found = []
    for k in np.flatnonzero(wanted).tolist():
        bus = matrix.rows[k][column]
        if bus not in number:
            raise GraphFileError(
                f"{path}, line {matrix.lines[k]}: mpc.{matrix.name} names bus {bus:g}, which mpc.bus does not list"
            )
        found.append(number[int(bus)])
    return np.array(found, dtype=np.int64)


def _weights(path: Path, branch: Matrix, closed: Mask) -> Floats:
    """Return 1/|x| of the branches in service."""
    reactance = np.abs(branch.column(BRANCH_X))
    with np.errstate(divide="ignore"):
        weight = 1 / reactance
    wrong = closed & ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise GraphFileError(
            f"{path}, line {branch.lines[k]}: reactance x is {branch.rows[k][BRANCH_X]:g}, which gives no"
            " weight 1/|x|; give another or take the branch out of service"
        )
    return weight[closed]


def _parsed(path: Path, text: Iterable[str]) -> tuple[float, dict[str, Matrix]]:
    """Find baseMVA and the three matrices."""
    base: float | None = None
    found: dict[str, Matrix] = {}
    inside: Matrix | None = None
    for line, code in _statements(text):
        if inside is None:
            match = ASSIGNMENT.match(code.strip())
            if match is None:
                continue
            name, part, value = match.groups()
            if part is not None or (name != "baseMVA" and not value.startswith("[")):
                raise GraphFileError(f"{path}, line {line}: {name} is computed; only literal values are read")
            if name == "baseMVA":
                base = _base(path, line, value)
                continue
            inside = found[name] = Matrix(name)
            code = value[1:]
        content, closing, _ = code.partition("]")
        _add_rows(path, inside, line, content)
        if closing:
            inside = None
    if inside is not None:
        raise GraphFileError(f"{path}: mpc.{inside.name} has no closing ]; is the file whole?")
    missing = [name for name in COLUMNS if name not in found]
    if base is None or missing:
        absent = ", ".join(f"mpc.{name}" for name in [*(["baseMVA"] if base is None else []), *missing])
        raise GraphFileError(f"{path} is no MATPOWER case: it has no {absent}")
    return base, found


def _statements(text: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, continued ones joined, with the number of their first."""
    held, first, blocks = "", 0, 0
    for number, line in enumerate(text, 1):
        bare = line.strip()
        blocks += (bare == "%{") - (bare == "%}")
        if blocks:
            continue
        code, continued = _uncommented(line)
        held, first = held + code + " ", first or number
        if not continued:
            yield first, held
            held, first = "", 0
    if held:
        yield first, held


def _uncommented(line: str) -> tuple[str, bool]:
    """Cut a line at its comment or continuation mark, outside quotes; say whether it goes on."""
    for mark in OUTSIDE.finditer(line):
        if not mark.group().startswith("'"):
            return line[: mark.start()], mark.group() == "..."
    return line, False


def _base(path: Path, line: int, value: str) -> float:
    text = value.partition(";")[0].strip()
    try:
        base = float(text)
    except ValueError:
        raise GraphFileError(f"{path}, line {line}: baseMVA must be a number, not {text!r}") from None
    if not (math.isfinite(base) and base > 0):
        raise GraphFileError(f"{path}, line {line}: baseMVA must be finite and above 0, not {base:g}")
    return base


def _add_rows(path: Path, matrix: Matrix, line: int, content: str) -> None:
    """Add the rows that a line of a matrix holds."""
    for part in content.split(";"):
        words = part.replace(",", " ").split()
        if not words:
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            raise GraphFileError(
                f"{path}, line {line}: mpc.{matrix.name} must hold plain numbers, not {part.strip()[:60]!r}"
            ) from None
        expected = len(matrix.rows[0]) if matrix.rows else max(COLUMNS[matrix.name], len(row))
        if len(row) != expected:
            raise GraphFileError(
                f"{path}, line {line}: a row of mpc.{matrix.name} has {len(row)} columns, expected {expected}"
            )
        matrix.rows.append(row)
        matrix.lines.append(line)
