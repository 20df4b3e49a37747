"""What is measured: every case by name."""

from __future__ import annotations

from fnmatch import fnmatch

from benches.compare.cases.agents import agent_cases
from benches.compare.cases.atonce import concurrent_cases
from benches.compare.cases.base import Case
from benches.compare.cases.durable import durable_cases
from benches.compare.cases.fanout import fanout_cases
from benches.compare.cases.functional import functional_cases
from benches.compare.cases.memory import memory_cases
from benches.compare.cases.react import react_cases
from benches.compare.cases.scaling import scaling_cases
from benches.compare.cases.sequential import sequential_cases
from benches.compare.cases.single import single_node_cases
from benches.compare.cases.threads import thread_cases
from benches.compare.cases.tokens import token_cases
from benches.compare.cases.turns import turn_cases
from benches.compare.cases.wide import wide_cases

QUICK = (
    "sequential_*",
    "fanout_to_subgraph_100x",
    "wide_state_25x300",
    "react_agent_10x",
    "create_agent*",
    "messages_*",
    "invoke_one_node*",
    "chain_10*",
    "keys_*",
    "sends_100",
    "memory_superstep",
    "chat_turn_200_*",
    "sqlite_superstep",
)
"""What a quick run measures unless it is told otherwise."""


def all_cases() -> dict[str, Case]:
    """Every case, upstream's own first."""
    cases = [
        *sequential_cases(),
        *fanout_cases(),
        *react_cases(),
        *agent_cases(),
        *token_cases(),
        *functional_cases(),
        *concurrent_cases(),
        *thread_cases(),
        *wide_cases(),
        *single_node_cases(),
        *scaling_cases(),
        *memory_cases(),
        *turn_cases(),
        *durable_cases(),
    ]
    return {case.name: case for case in cases}


def select(patterns: list[str]) -> list[Case]:
    """The cases whose name matches a shell-style pattern; all of them without patterns.

    Raises:
        ValueError: a pattern matches nothing.
    """
    cases = all_cases()
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in cases):
            raise ValueError(f"no case is called {pattern!r}; there are: {', '.join(cases)}")
    chosen = [n for n in cases if not patterns or any(fnmatch(n, p) for p in patterns)]
    return [cases[name] for name in chosen]
