"""Run a program on both sides and say whether they differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tests.differential.canon import canonical
from tests.differential.known import Known, known_difference
from tests.differential.sides import Side

REPEATS = 3
"""How often upstream must agree with itself before a difference from it counts."""

UPSTREAM_BUGS = {
    "_put_checkpoint_fut": "durability `sync` without a saver, also that of a subgraph",
    "variable 'resume_is_map'": "a `Command` that says nothing, such as `Command(resume=None)`",
    "the process hung": "",
}
"""What upstream's transcript contains when it fell over its own feet, and on what."""


@dataclass(frozen=True)
class Difference:
    """A program on which the sides differ, and both transcripts in canonical form."""

    program: dict[str, Any]
    ours: list[Any]
    upstream: list[Any]

    def known(self) -> Known | None:
        """What is known of where the transcripts first part."""
        for mine, theirs in zip_longest(self.ours, self.upstream):
            if not same(mine, theirs):
                return known_difference(mine, theirs)
        return None

    def kind(self) -> tuple[Any, ...]:
        """What a smaller program must have in common to show the same difference."""
        for mine, theirs in zip_longest(self.ours, self.upstream):
            if not same(mine, theirs):
                either = {**_record(mine), **_record(theirs)}
                parts = [key for key in either if not same(_part(mine, key), _part(theirs, key))]
                failures = [_part(_part(side, "raised"), "type") for side in (mine, theirs)]
                name = known.name if (known := self.known()) else None
                return name, either.get("do"), *parts, *failures
        return ()


def compare(program: dict[str, Any], ours: Side, upstream: Side) -> Difference | None:
    """The difference, unless there is none or upstream differs from itself as well."""
    ours.begin(program)
    theirs = canonical(upstream.run(program))
    mine = canonical(ours.finish())
    if same(mine, theirs) or fell_over(theirs):
        return None
    for _ in range(REPEATS):
        again = canonical(upstream.run(program))
        if not same(again, theirs) or same(canonical(ours.run(program)), theirs):
            return None
    return Difference(program, mine, theirs)


def _record(thing: Any) -> dict[str, Any]:
    return thing if isinstance(thing, dict) else {}


def _part(thing: Any, key: str) -> Any:
    return _record(thing).get(key)


def fell_over(transcript: list[Any]) -> bool:
    """Whether an error inside upstream ended an action, so that there is nothing to compare."""
    text = json.dumps(transcript)
    return any(sign in text for sign in UPSTREAM_BUGS)


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from True, and minds the order of keys."""
    return json.dumps(one) == json.dumps(other)
