"""The command `emerge`, also as `python -m emerge`: finds the libraries it needs, then hands over to `cli`."""

from __future__ import annotations

import sys

from . import admit
from .errors import MissingExtra

__all__ = ["main"]


def main() -> None:
    """Run the command line; without its libraries, say which extra brings them and exit with 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a sign gets a question mark
            stream.reconfigure(errors="replace")
    try:
        for library in ("click", "rich"):
            admit.extra(library, "cli", "the command line")
    except MissingExtra as error:
        print(f"emerge: {error}", file=sys.stderr)
        sys.exit(2)
    from .cli import commands

    commands(prog_name="emerge")


if __name__ == "__main__":
    main()
