"""Print what a run found: each difference with its program, and all of it counted."""

from __future__ import annotations

import difflib
import json
from typing import Any

from tests.differential.known import Known
from tests.differential.tally import INCOMPARABLE_PERCENT, Tally
from tests.differential.verdict import Difference


def print_difference(difference: Difference) -> None:
    """The program as data, and the transcripts as a diff of their lines."""
    print(
        f"===== seed {difference.program['seed']} differs; the program, as small as it was made, is"
    )
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


def print_tally(counted: Tally) -> None:
    """Everything but the unknown differences themselves; the last line counts."""
    for reason, seeds in sorted(counted.incomparable.items(), key=lambda item: -len(item[1])):
        print(f"  {len(seeds):3} not comparable: {reason} {_some(seeds)}")
    for known, items in sorted(counted.known.items(), key=lambda item: -len(item[1])):
        state = "open" if known.is_open else "not ours"
        print(f"  {len(items):3} known, {state}: {known.name} {_some(_seeds(items))}")
    for known, items in counted.unlisted.items():
        print(f"  {len(items):3} NOT LISTED, but like `{known.name}`: {_seeds(items)}")
    for known, seeds in counted.stale().items():
        print(f"  {len(seeds):3} STALE, listed for `{known.name}` and no longer so: {seeds}")
    if counted.too_many_incomparable:
        print(f"  TOO MANY are not comparable: at most {INCOMPARABLE_PERCENT} % may be")
    print(_closing_line(counted))


def print_lists(counted: Tally) -> None:
    """What `known_seeds.toml` should say as far as this run can tell, to be read and pasted."""
    for known, seeds in counted.seeds_by_entry().items():
        print(f"{json.dumps(known.name)} = {json.dumps(seeds)}")


def _closing_line(counted: Tally) -> str:
    known, unlisted = (_programs(items) for items in (counted.known, counted.unlisted))
    stale = sum(map(len, counted.stale().values()))
    share = 100 * counted.without_answer / counted.programs if counted.programs else 0
    return (
        f"differential: {counted.programs} programs, {counted.without_answer} not comparable "
        f"({share:.1f} %), {known} differ as known, {unlisted} so but not listed, "
        f"{len(counted.unknown)} differ in an unknown way, {stale} stale"
    )


def _programs(found: dict[Known, list[Difference]]) -> int:
    """How many there are; one that needs several entries counts once."""
    return len({seed for items in found.values() for seed in _seeds(items)})


def _seeds(items: list[Difference]) -> list[int]:
    return [item.program["seed"] for item in items]


def _some(seeds: list[int]) -> str:
    return f"(seeds {', '.join(map(str, seeds[:5]))}{', ...' if len(seeds) > 5 else ''})"


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
