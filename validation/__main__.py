"""Measure every record, and write docs/validation.md with its pictures."""

from __future__ import annotations

import sys
from pathlib import Path

from .page import ROWS, text, written
from .pictures import PICTURES
from .row import DATA

DOCS = Path(__file__).parent.parent / "docs"


def main() -> int:
    """Tell what is measured on the way; return 1 if a value is missed."""
    page = DOCS / "validation.md"
    measured, missed = written(page.read_text()), 0
    for row in ROWS:
        if row.missing:
            print(f"{row.id:4}kept as it was: {', '.join(row.missing)} not in {DATA}", flush=True)
            continue
        measured[row.id] = list(row.measure())
        for value, number in zip(row.values, measured[row.id], strict=True):
            holds = value.holds(number)
            missed += not holds
            print(
                f"{row.id:4}{value.name:30}{value.expected:14.8g}{number:14.8g}  {'' if holds else 'MISSED'}",
                flush=True,
            )
    page.write_text(text(measured))
    for name, draw in PICTURES.items():
        draw(DOCS / f"validation-{name}.png")
        print(f"docs/validation-{name}.png", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
