"""What changed between two results of `main.py`.

    python benchmarks/compare.py BEFORE.jsonl AFTER.jsonl

For every measurement that both hold: nanoseconds for each agent and tick before and after, and how many times as fast
it became. Where a file holds a measurement more than once, the least counts.
"""

import argparse
import json
import sys
from pathlib import Path

KEY = ("case", "agents", "who", "threads")
SAME = ("machine", "workers", "compiler", "flags", "instruction_set", "python", "numpy")


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("before", "after"):
        options.add_argument(name, type=Path, metavar=f"{name.upper()}.jsonl")
    found = options.parse_args()
    try:
        before, after = read(found.before), read(found.after)
    except (OSError, ValueError, KeyError, TypeError) as error:
        options.error(f"not a result of benchmarks/main.py: {error}")
    both = [key for key in before if key in after]
    if not both:
        options.error("the two hold no measurement in common")
    for name in SAME:
        one, other = before[both[0]].get(name), after[both[0]].get(name)
        if one != other:
            print(f"{name} differs: {one!r}, then {other!r}")
    print(f"{'case':28}{'':42}{'before':>10}{'after':>10}{'times':>8}")
    for key in both:
        one, other = before[key], after[key]
        name = one["name"] + (f", {key[3]} thread{'s' * (key[3] > 1)}" if key[3] else "")
        old, new = one["ns_per_agent_tick"], other["ns_per_agent_tick"]
        print(f"{key[0]:28}{name:42}{old:10.2f}{new:10.2f}{old / new:8.2f}")
    print(f"{len(both)} in both; {len(before) - len(both)} only before, {len(after) - len(both)} only after")


def read(path):
    """Return the measurements of a file by what they are of; of several of one thing the least."""
    found = {}
    for text in path.read_text().splitlines():
        if text.strip():
            line = json.loads(text)
            # How many workers are picked may change: it is still the engine's own choice.
            key = tuple(None if name == "threads" and line["who"] == "picked" else line[name] for name in KEY)
            if key not in found or line["ns_per_agent_tick"] < found[key]["ns_per_agent_tick"]:
                found[key] = line
    return found


if __name__ == "__main__":
    sys.exit(main())
