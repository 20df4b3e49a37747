"""Print a difference: the program, then where the transcripts part."""

from __future__ import annotations

import difflib
import json
from typing import Any

from tests.differential.known import Known
from tests.differential.verdict import Difference


def print_difference(difference: Difference) -> None:
    """The program as data, and the transcripts as a diff of their lines."""
    print(f"===== seed {difference.program['seed']} differs; made smaller, its program is")
    print(json.dumps(difference.program))
    print("----- graph")
    print(_lines(difference.program["graph"]))
    for mine, theirs, action in _records(difference):
        print(f"----- {json.dumps(action)}")
        if mine == theirs:
            print(mine)
        else:
            diff = difflib.unified_diff(
                theirs.splitlines(), mine.splitlines(), "upstream", "ours", n=6, lineterm=""
            )
            print("\n".join(diff))


def print_known(differences: list[Difference]) -> None:
    """How often each known difference was seen, and whether it is open; with some seeds."""
    seeds: dict[Known, list[int]] = {}
    for difference in differences:
        if known := difference.known():
            seeds.setdefault(known, []).append(difference.program["seed"])
    for known, found in sorted(seeds.items(), key=lambda item: -len(item[1])):
        state = "open" if known.is_open else "not ours"
        print(f"  {len(found):3} x known, {state}: {known.name} (seeds {found[:3]})")


def _records(difference: Difference) -> list[tuple[str, str, Any]]:
    actions = difference.program["script"]
    count = max(len(difference.ours), len(difference.upstream))
    return [
        (
            _lines(_at(difference.ours, index)),
            _lines(_at(difference.upstream, index)),
            _at(actions, index),
        )
        for index in range(count)
    ]


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _lines(thing: Any, indent: str = "") -> str:
    """JSON with what fits on a line on one line."""
    flat = json.dumps(thing)
    if len(flat) + len(indent) <= 100 or not isinstance(thing, (dict, list)) or not thing:
        return indent + flat
    deeper = indent + "  "
    if isinstance(thing, list):
        inside = ",\n".join(_lines(item, deeper) for item in thing)
        return f"{indent}[\n{inside}\n{indent}]"
    inside = ",\n".join(
        f"{deeper}{json.dumps(key)}: {_lines(item, deeper).lstrip()}" for key, item in thing.items()
    )
    return f"{indent}{{\n{inside}\n{indent}}}"
