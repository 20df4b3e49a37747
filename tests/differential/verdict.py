"""Run a program on both sides and say whether they differ.

Upstream may differ from itself: what its runs do not agree on is not compared. This package may
not: every run of it is held against what upstream's runs agree on, and none is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tests.differential.canon import canonical
from tests.differential.endings import DIED, GROWN, HUNG
from tests.differential.known import Known, explaining, explanation
from tests.differential.sides import Side

REPEATS = 8
"""How often upstream must agree with itself before a difference from it counts."""

UPSTREAM_BUGS = {
    "_put_checkpoint_fut": "durability `sync` without a saver, also that of a subgraph",
    "variable 'resume_is_map'": "a `Command` that says nothing, such as `Command(resume=None)`",
}
"""What upstream's record of an action contains when it fell over its own feet, and on what."""

ENDINGS = {HUNG: "upstream hung", DIED: "upstream's process died", GROWN: GROWN}
WAVERS = "upstream differs from itself"
"""Reasons why there is nothing to compare with."""

Transcript = list[Any]


@dataclass(frozen=True)
class Difference:
    """A program on which the sides differ, and their transcripts as far as upstream agrees."""

    program: dict[str, Any]
    ours: Transcript
    upstream: Transcript

    def known(self) -> list[Known]:
        """The entries that list this program and explain everything in which it differs."""
        return explanation(self._pairs(), self.program["seed"])

    def resembles(self) -> list[Known]:
        """Entries that would explain everything, whether or not they list the program."""
        return explanation(self._pairs())

    def kind(self) -> tuple[Any, ...]:
        """What a smaller program must have in common to show the same difference."""
        pairs = list(self._pairs())
        strange = (pair for pair in pairs if not any(explaining(*pair)))
        mine, theirs = next(strange, pairs[0] if pairs else (None, None))
        either = {**_record(mine), **_record(theirs)}
        parts = [key for key in either if not same(_part(mine, key), _part(theirs, key))]
        failures = [_part(_part(side, "raised"), "type") for side in (mine, theirs)]
        return either.get("do"), *parts, *failures

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        """The records that differ, mine and theirs; none if neither process came to an end."""
        pairs = zip_longest(self.ours, self.upstream)
        return (pair for pair in pairs if not same(*pair))


@dataclass(frozen=True)
class Incomparable:
    """A program on which the sides part only where upstream gave no single answer, and why."""

    program: dict[str, Any]
    reason: str


Outcome = Difference | Incomparable | None
"""What came of a program; None when both sides do the same."""


def compare(program: dict[str, Any], ours: Side, upstream: Side) -> Outcome:
    """Run `program` on both sides, and on upstream as often as it takes to judge a difference."""
    ours.begin(program)
    theirs = canonical(upstream.run(program))
    mine = canonical(ours.finish())
    if mine in ([HUNG], [DIED]):
        return Difference(program, mine, theirs)
    if same(mine, theirs) and theirs != [GROWN]:
        return None
    parted, agreed = agreement(mine, theirs), _upright(theirs)
    if agreed <= parted or theirs == [GROWN]:
        return Incomparable(program, _fall(theirs[agreed]))
    for _ in range(REPEATS):
        agreed = min(agreed, agreement(theirs, canonical(upstream.run(program))))
        if agreed <= parted:
            return Incomparable(program, WAVERS)
    return Difference(program, mine[:agreed], theirs[:agreed])


def agreement(one: Transcript, other: Transcript) -> int:
    """How many records two transcripts have in common at their beginning."""
    pairs = zip_longest(one, other)
    return next((i for i, pair in enumerate(pairs) if not same(*pair)), len(one))


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from True, and minds the order of keys."""
    return json.dumps(one) == json.dumps(other)


def _upright(transcript: Transcript) -> int:
    """How many records there are before upstream fell over."""
    falls = (i for i, record in enumerate(transcript) if _fall(record))
    return next(falls, len(transcript))


def _fall(record: Any) -> str:
    """On what upstream fell over in a record, if it did."""
    if isinstance(record, str):
        return ENDINGS.get(record, "")
    text = json.dumps(record)
    return next((f"upstream's bug: {on}" for sign, on in UPSTREAM_BUGS.items() if sign in text), "")


def _record(thing: Any) -> dict[str, Any]:
    return thing if isinstance(thing, dict) else {}


def _part(thing: Any, key: str) -> Any:
    return _record(thing).get(key)
