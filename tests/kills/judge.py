"""What must hold of a thread that was begun, cut off somewhere, and gone on with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tests.kills.program import END, SHOWN

_STORED_AS = {"inner": "in1"}
"""A subgraph is shown by its own name, and stored by what its nodes wrote."""


def ending(lines: Sequence[str]) -> list[str]:
    """The state that the program ended with, from what it said.

    Raises:
        ValueError: it did not come to its end.
    """
    if not lines or not lines[-1].startswith(END):
        raise ValueError(f"does not come to its end: {lines[-3:]}")
    return json.loads(lines[-1].removeprefix(END))


def wrong(
    durability: str,
    before: Sequence[str],
    kept: Sequence[str],
    after: Sequence[str],
    end: Sequence[str],
) -> Iterator[str]:
    """Say what does not hold.

    Args:
        durability: That of the runs.
        before: What the program said until it was cut off.
        kept: What was stored then.
        after: What the program said that went on.
        end: The state that it ends with if nothing happens.
    """
    shown = [line.removeprefix(SHOWN) for line in before if line.startswith(SHOWN)]
    if durability == "sync":
        for name in shown:
            if _STORED_AS.get(name, name) not in kept:
                yield f"{name} was shown and is not stored ({kept})"
            if f"start {name}" in after:
                yield f"{name} was shown and has run again"
    try:
        found = ending(after)
    except ValueError as error:
        yield str(error)
    else:
        if sorted(found) != sorted(end):
            yield f"ends with {found}, not {end}"
