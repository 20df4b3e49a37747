"""What is run: every scenario with every durability. Imported on both Python sides.

The Rust program is given these names, and has to know each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

SCENARIOS = (
    "conversation",
    "question",
    "question_in_the_past",
    "question_unanswered",
    "questions",
    "command",
    "packets",
    "packets_that_ask",
    "failing",
    "failing_packets",
    "failing_beside_question",
    "handled",
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
    "fork",
    "updates",
    "delta_conversation",
    "delta_question",
    "delta_subgraph",
    "delta_subgraph_with_memory",
    "delta_packets",
    "delta_failing",
    "delta_travel",
    "delta_fork",
    "delta_updates",
    "delta_long",
)
DURABILITIES = ("sync", "async", "exit")

TURNS = 4
"""Every scenario has this many turns; each may be taken by another side."""


@dataclass(frozen=True)
class Case:
    """One scenario with one durability: a thread of its own."""

    scenario: str
    durability: str

    def __str__(self) -> str:
        return f"{self.scenario}-{self.durability}"


CASES = tuple(Case(*parts) for parts in product(SCENARIOS, DURABILITIES))

CHOICES = {
    "all": CASES,
    "some": tuple(
        Case(scenario, DURABILITIES[number % len(DURABILITIES)])
        for number, scenario in enumerate(SCENARIOS)
    ),
}
"""What can be run on a database: everything, or every scenario once, each in another way."""

UNEQUAL = {
    "channels-async": "upstream adds to the list of an accumulating topic while a checkpoint that "
    "holds it is still to be stored, so that what is stored is chance",
}
"""Cases in which upstream does not store the same twice, and why."""
