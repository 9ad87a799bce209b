"""What is made anew in a forked child: whoever held a lock, or was a thread of ours, in the parent is not there."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Locking", "renew_after_fork"]


class Locking(Protocol):
    """Something that has locks, or threads."""

    def _renew(self) -> None:
        """Make its locks anew, and do without its threads."""


_all: weakref.WeakSet[Locking] = weakref.WeakSet()


def renew_after_fork(thing: Locking) -> None:
    """Have a thing made anew in each child that is forked from now on; it is held weakly."""
    _all.add(thing)


def _renew_all() -> None:
    for thing in list(_all):
        thing._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
