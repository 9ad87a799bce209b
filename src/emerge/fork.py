"""Locks in a forked child: whoever held one in the parent is not there, so all are made anew."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Locking", "renew_after_fork"]


class Locking(Protocol):
    """Something that has locks."""

    def _renew(self) -> None:
        """Make its locks anew."""


_all: weakref.WeakSet[Locking] = weakref.WeakSet()


def renew_after_fork(thing: Locking) -> None:
    """Have a thing's locks made anew in each child that is forked from now on; it is held weakly."""
    _all.add(thing)


def _renew_all() -> None:
    for thing in list(_all):
        thing._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
