"""What is run: every scenario, sync and async, with every durability. Imported on all sides."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

SCENARIOS = (
    "conversation",
    "question",
    "question_unanswered",
    "question_in_the_past",
    "questions",
    "command",
    "packets",
    "packets_that_ask",
    "failing",
    "failing_packets",
    "failing_beside_question",
    "handled",
    "same_run",
    "barrier",
    "subgraph",
    "subgraph_update",
    "subgraph_packets",
    "subgraph_with_memory",
    "subgraph_called",
    "subgraph_failing",
    "subgraph_to_parent",
    "channels",
    "loop",
    "travel",
    "updates",
    "functional",
    "functional_failing",
    "delta_conversation",
    "delta_question",
    "delta_subgraph",
    "delta_subgraph_with_memory",
    "delta_packets",
    "delta_failing",
    "delta_travel",
    "delta_copied",
    "delta_updates",
)
MODES = ("sync", "async")
DURABILITIES = ("sync", "async", "exit")

TURNS = 4
"""Every scenario has this many turns; each may be taken by another side."""


@dataclass(frozen=True)
class Case:
    """One scenario in one mode with one durability: a thread of its own."""

    scenario: str
    mode: str
    durability: str

    def __str__(self) -> str:
        return f"{self.scenario}-{self.mode}-{self.durability}"


CASES = tuple(Case(*parts) for parts in product(SCENARIOS, MODES, DURABILITIES))

_WAYS = tuple(product(MODES, DURABILITIES))

CHOICES = {
    "all": CASES,
    "some": tuple(
        Case(scenario, *_WAYS[number % len(_WAYS)]) for number, scenario in enumerate(SCENARIOS)
    ),
}
"""What can be asked of the program: everything, or every scenario once, each in another way."""
