"""Which values to take out of a namespace's checkpoints, and what to store in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from langgraph_rust._storage.judge import Case, Completed, Judged, Step
from langgraph_rust._storage.rows import Node, Tree

_MOST_UPDATES = 100
_MOST_SUPERSTEPS = 5000
"""What the engine's limits are: how far back a reader has to go for a value."""


@dataclass
class Saving:
    """What becomes of a channel, in bytes."""

    taken: int = 0
    values: int = 0
    """How many values are taken out."""


@dataclass
class Plan:
    """What to do in a namespace."""

    tree: Tree
    drops: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By checkpoint, the channels whose values it loses."""
    completed: dict[tuple[str, str, int], bytes] = field(default_factory=dict)
    """By checkpoint, task and index, writes in another form."""
    savings: dict[str, Saving] = field(default_factory=dict)
    """By channel that is stored as changes."""


_Since = tuple[int, int]
"""Updates and supersteps since a value that stays."""


def decide(judged: Judged, channels: Collection[str] | None = None) -> Plan:
    """Return what to do; with `channels`, only with these.

    A value stays by the rule that the engine follows when it stores lists as changes: when as many
    supersteps have written as half of what the list holds, or a hundred.
    """
    plan = Plan(judged.tree)
    for channel, case in judged.cases.items():
        if case.reducers and (channels is None or channel in channels):
            plan.savings[channel] = Saving()
            _walk(plan, channel, case)
    return plan


def _walk(plan: Plan, channel: str, case: Case) -> None:
    children = plan.tree.children
    waiting: list[tuple[Node, _Since | None]] = [(node, None) for node in children[None]]
    while waiting:
        node, before = waiting.pop()
        step, since = case.steps.get(node.id), None
        if step is not None:
            since = before and (before[0] + step.is_changed, before[1] + 1)
            if step.size is not None:
                completed = _agreed(case, step)
                if since is None or completed is None or _is_due(step, since):
                    since = (0, 0)
                else:
                    _take(plan, channel, node, step.size, completed)
        waiting += ((child, since) for child in children.get(node.id, ()))


def _is_due(step: Step, since: _Since) -> bool:
    return since[0] >= min(step.count // 2, _MOST_UPDATES) or since[1] >= _MOST_SUPERSTEPS


def _agreed(case: Case, step: Step) -> Completed | None:
    """Return what it takes to have the value given, if all reducers that it may be agree."""
    first, *others = (step.given.get(name) for name in case.reducers)
    return first if all(other == first for other in others) else None


def _take(plan: Plan, channel: str, node: Node, size: int, completed: Completed) -> None:
    assert node.parent is not None
    for (task, index), value in completed.items():
        plan.completed[node.parent, task, index] = value
    plan.drops[node.id].add(channel)
    saving = plan.savings[channel]
    saving.taken += size
    saving.values += 1
