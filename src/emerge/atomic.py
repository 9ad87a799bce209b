"""Numbers that many Python threads change at once and never lose a change of: the inbox's primitives, for users."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsFloat, overload

import numpy as np
import numpy.typing as npt

from . import _engine, admit
from .errors import InvalidValue

__all__ = ["ENTRIES_MAX", "AtomicArray"]

ENTRIES_MAX = 2**48
"""Most entries that can be asked for: beyond what processors address."""

Floats = npt.NDArray[np.float64]
Number = SupportsFloat
Place = int | np.integer[Any]
Places = Sequence[int] | npt.NDArray[np.integer[Any]]


class AtomicArray:
    """Float64 numbers that many threads may read and change at once, each number atomically, without a lock.

    Every operation has a form for one entry (`index` a whole number, the result a number) and one for many
    (`index` an array, the result a new array). The second works through its entries in the order given, with
    the GIL released: each entry is changed atomically, the call as a whole is not, and an index that stands
    there twice is worked on twice.

    Parameters
    ----------
    values : int or array_like of shape (n,)
        How many entries there are, from 1 to 2**48, all 0.0; or the numbers they start with, which are copied.

    Raises
    ------
    InvalidType, InvalidValue
        If `values` is neither.
    TooLarge
        If there is no memory for them, 8 bytes each.

    Notes
    -----
    Thread safety: everything, from any number of threads, with or without a GIL. Nothing waits, and nothing is
    lost. Arguments are copied and checked before the first entry is touched: a call that raises has changed
    nothing.

    Memory order: `load` and `snapshot` acquire, `store` releases, `add`, `turn` and a `compare_exchange` that
    succeeds do both. So a thread that reads a number sees all that the thread which wrote it had done before.
    A `compare_exchange` that fails orders nothing: `load` what stands there. Changes of *different* entries
    may be seen in different orders by different threads: there is no sequential consistency across entries.

    Determinism: additions that do not round (whole numbers, small multiples of a power of two) give the same
    bits in any order. Others differ in the last bits with the order in which threads came, as float64 does;
    for angles that add up without rounding use `Swarm.nudge`.

    Cost: O(1) an entry. Entries lie side by side, 8 bytes each: threads that hammer on neighbours share a
    cache line and slow each other down, so leave 16 entries between those that are hot.

    Pickling and copying take a `snapshot`: the copy shares nothing with the original.

    Examples
    --------
    >>> import threading, emerge
    >>> counts = emerge.AtomicArray(3)
    >>> def work():
    ...     for _ in range(1000):
    ...         counts.add([0, 2], [1.0, 0.5])
    >>> threads = [threading.Thread(target=work) for _ in range(4)]
    >>> for thread in threads:
    ...     thread.start()
    >>> for thread in threads:
    ...     thread.join()
    >>> counts.snapshot()
    array([4000.,    0., 2000.])
    """

    __slots__ = ("_n", "_words")

    def __init__(self, values: int | npt.ArrayLike) -> None:
        given = None if isinstance(values, int) else admit.numbers(values, "values")
        if given is None or given.ndim == 0:
            self._n = admit.count(values, "values", most=ENTRIES_MAX)
            admit.memory(8 * self._n, f"an array of {self._n} atomic numbers")
            self._words = _engine.Words(self._n)
        elif given.ndim == 1 and given.size > 0:
            self._n = given.size
            self._words = _engine.Words(self._n, np.array(given, dtype=np.float64, order="C"))
        else:
            raise InvalidValue(f"values must have shape (n,) with n at least 1, not {given.shape}")

    def __len__(self) -> int:
        return self._n

    def __repr__(self) -> str:
        return f"AtomicArray({self._n} entries)"

    def __reduce__(self) -> tuple[type[AtomicArray], tuple[Floats]]:
        return AtomicArray, (self.snapshot(),)

    @overload
    def load(self, index: Place) -> float: ...
    @overload
    def load(self, index: Places) -> Floats: ...
    def load(self, index: Place | Places) -> float | Floats:
        """Read entries. Acquires.

        Parameters
        ----------
        index : int or array_like of int, shape (k,)
            Which entries, from 0 to n - 1.

        Returns
        -------
        float or ndarray of shape (k,)
            The numbers, each as it was at some moment of the call; a new array.

        Raises
        ------
        InvalidType, InvalidValue
            If `index` is of the wrong type or range.

        Examples
        --------
        >>> import emerge
        >>> emerge.AtomicArray([1.0, 2.0]).load([1, 1, 0])
        array([2., 2., 1.])
        """
        if isinstance(index, (int, np.integer)):
            return self._words.load(self._place(index))
        where = self._places(index)
        out = np.empty(len(where))
        self._words.load_each(where, out)
        return out

    @overload
    def store(self, index: Place, value: Number) -> None: ...
    @overload
    def store(self, index: Places, value: Number | npt.ArrayLike) -> None: ...
    def store(self, index: Place | Places, value: Number | npt.ArrayLike) -> None:
        """Replace entries. Releases.

        Parameters
        ----------
        index : int or array_like of int, shape (k,)
            Which entries, from 0 to n - 1; of one that stands there twice the last value stays.
        value : float or array_like of shape (k,)
            Any float64, also infinite or NaN; one for all or one for each.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nothing has been stored then.

        Notes
        -----
        What others changed meanwhile is overwritten: to change a number by what it is, use `add`, `turn` or
        `compare_exchange`.
        """
        if isinstance(index, (int, np.integer)):
            return self._words.store(self._place(index), _number(value, "value"))
        where = self._places(index)
        return self._words.store_each(where, admit.column(value, "value", len(where), "index"))

    @overload
    def add(self, index: Place, value: Number) -> float: ...
    @overload
    def add(self, index: Places, value: Number | npt.ArrayLike) -> Floats: ...
    def add(self, index: Place | Places, value: Number | npt.ArrayLike) -> float | Floats:
        """Add to entries. Acquires and releases.

        Parameters
        ----------
        index : int or array_like of int, shape (k,)
            Which entries, from 0 to n - 1; one that stands there twice is added to twice.
        value : float or array_like of shape (k,)
            Any float64, also infinite or NaN; one for all or one for each.

        Returns
        -------
        float or ndarray of shape (k,)
            What stood there before; a new array.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nothing has been added then.

        Notes
        -----
        A compare-and-swap that is tried again when another thread came first: that thread has succeeded then,
        so all together always get on. The sum is rounded as float64 is.

        Examples
        --------
        >>> import emerge
        >>> array = emerge.AtomicArray(2)
        >>> array.add(0, 1.5), array.add(0, 1.5), array.load(0)
        (0.0, 1.5, 3.0)
        """
        if isinstance(index, (int, np.integer)):
            return self._words.add(self._place(index), _number(value, "value"))
        where = self._places(index)
        old = np.empty(len(where))
        self._words.add_each(where, admit.column(value, "value", len(where), "index"), old)
        return old

    @overload
    def turn(self, index: Place, angle: Number) -> float: ...
    @overload
    def turn(self, index: Places, angle: Number | npt.ArrayLike) -> Floats: ...
    def turn(self, index: Place | Places, angle: Number | npt.ArrayLike) -> float | Floats:
        """Turn phases: add an angle and wrap into [0, 2π), in one step that nobody sees the middle of.

        Acquires and releases.

        Parameters
        ----------
        index : int or array_like of int, shape (k,)
            Which entries, from 0 to n - 1; one that stands there twice is turned twice.
        angle : float or array_like of shape (k,)
            Angle in rad, finite; one for all or one for each.

        Returns
        -------
        float or ndarray of shape (k,)
            The phase before, as it stood there; a new array.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nothing has been turned then.

        Notes
        -----
        The compare-and-swap of `add`, with the wrap inside. Angles and entries beyond 5e5 rad first lose whole
        turns of the float64 nearest 2π, exactly. Each turn rounds to about 1e-15 rad. An entry that holds
        infinity or NaN becomes NaN.

        Examples
        --------
        >>> import math, emerge
        >>> phases = emerge.AtomicArray([6.0])
        >>> phases.turn(0, 1.0)
        6.0
        >>> math.isclose(phases.load(0), 7.0 - 2 * math.pi)
        True
        """
        if isinstance(index, (int, np.integer)):
            number = _number(angle, "angle")
            if not math.isfinite(number):
                raise InvalidValue(f"angle must be finite, not {number}")
            return self._words.turn(self._place(index), number)
        where = self._places(index)
        old = np.empty(len(where))
        self._words.turn_each(where, admit.finite(admit.column(angle, "angle", len(where), "index"), "angle"), old)
        return old

    @overload
    def compare_exchange(self, index: Place, expected: Number, desired: Number) -> bool: ...
    @overload
    def compare_exchange(
        self, index: Places, expected: Number | npt.ArrayLike, desired: Number | npt.ArrayLike
    ) -> npt.NDArray[np.bool_]: ...
    def compare_exchange(
        self, index: Place | Places, expected: Number | npt.ArrayLike, desired: Number | npt.ArrayLike
    ) -> bool | npt.NDArray[np.bool_]:
        """Replace entries that are what they are expected to be, to the bit.

        Acquires and releases where it succeeds; orders nothing where it fails.

        Parameters
        ----------
        index : int or array_like of int, shape (k,)
            Which entries, from 0 to n - 1.
        expected : float or array_like of shape (k,)
            What must stand there, as a `load` returned it; one for all or one for each.
        desired : float or array_like of shape (k,)
            What is to stand there then; one for all or one for each.

        Returns
        -------
        bool or ndarray of bool, shape (k,)
            Whether the entry was replaced; a new array.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type, length or range; nothing has been replaced then.

        Notes
        -----
        Bits are compared, not values: 0.0 is not -0.0, and a NaN is equal to itself. It never fails without
        a reason. That a number is the same does not mean that nobody changed it and changed it back.

        Examples
        --------
        >>> import emerge
        >>> least = emerge.AtomicArray([3.0])
        >>> def lower(value):
        ...     while value < (seen := least.load(0)):
        ...         if least.compare_exchange(0, seen, value):
        ...             break
        >>> lower(5.0), lower(2.0), least.load(0)
        (None, None, 2.0)
        """
        if isinstance(index, (int, np.integer)):
            return self._words.compare_exchange(
                self._place(index), _number(expected, "expected"), _number(desired, "desired")
            )
        where = self._places(index)
        k = len(where)
        done = np.empty(k, np.bool_)
        self._words.compare_exchange_each(
            where,
            admit.column(expected, "expected", k, "index"),
            admit.column(desired, "desired", k, "index"),
            done.view(np.uint8),
        )
        return done

    def snapshot(self) -> Floats:
        """Copy all entries into a new array of shape (n,), each read atomically. Acquires.

        Entries are read one after another while others may change them: no number is torn, but together they
        need never have stood there at one moment. O(n), with the GIL released.
        """
        out = np.empty(self._n)
        self._words.snapshot(out)
        return out

    def _place(self, index: object) -> int:
        if type(index) is int and 0 <= index < self._n:
            return index
        return admit.count(index, "index", least=0, most=self._n - 1)

    def _places(self, index: object) -> npt.NDArray[np.int64]:
        return admit.places(index, self._n, "index", "entries")


def _number(value: object, name: str) -> float:
    """Return any one real number as a float."""
    if type(value) is float:
        return value
    if type(value) is int and -(2**53) <= value <= 2**53:
        return float(value)
    number = admit.numbers(value, name)
    if number.ndim > 0:
        raise InvalidValue(f"{name} must be one number, as index is, not an array of shape {number.shape}")
    return float(number)
