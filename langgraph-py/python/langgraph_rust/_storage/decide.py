"""Which values to take out of a namespace's checkpoints, and what to store in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from langgraph_rust._storage.database import Node, Tree
from langgraph_rust._storage.judge import Case, Completed, Judged, Row, Step

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
    # Of values that several checkpoints have between them, those that stay or go already.
    staying, going = _common(plan.tree, case), set[Row]()
    waiting: list[tuple[Node, _Since | None]] = [(node, None) for node in children[None]]
    while waiting:
        node, before = waiting.pop()
        step, since = case.steps.get(node.id), None
        if step is not None:
            since = before and (before[0] + step.is_changed, before[1] + 1)
            if step.size is not None:
                completed = _agreed(case, step)
                goes = step.row in going
                if since is None or completed is None or step.row in staying:
                    goes = False
                elif not goes:
                    goes = not _is_due(step, since)
                if goes:
                    _take(plan, channel, node, 0 if step.row in going else step.size, completed)
                    going |= {step.row} - {None}
                else:
                    staying |= {step.row} - {None}
                    since = (0, 0)
        waiting += ((child, since) for child in children.get(node.id, ()))


def _common(tree: Tree, case: Case) -> set[Row]:
    """Return which values that several checkpoints may have between them have to stay.

    Such a value goes with all checkpoints that have it, or not at all: each must be given it by
    what comes before, in one line from where it was made. The newest stays, for it is what those
    build on who are running now.
    """
    staying = set[Row]()
    made = set[Row]()
    children = tree.children
    for own, step in case.steps.items():
        if step.row is None:
            continue
        parent = case.steps.get(tree.nodes[own].parent or "")
        if parent is None or parent.row != step.row:
            if step.row in made:
                staying.add(step.row)
            made.add(step.row)
        if _agreed(case, step) is None or not children.get(own):
            staying.add(step.row)
    return staying


def _is_due(step: Step, since: _Since) -> bool:
    return since[0] >= min(step.count // 2, _MOST_UPDATES) or since[1] >= _MOST_SUPERSTEPS


def _agreed(case: Case, step: Step) -> Completed | None:
    """Return what it takes to have the value given, if all reducers that it may be agree."""
    first, *others = (step.given.get(name) for name in case.reducers)
    return first if all(other == first for other in others) else None


def _take(plan: Plan, channel: str, node: Node, size: int, completed: Completed | None) -> None:
    assert node.parent is not None and completed is not None
    for (task, index), value in completed.items():
        plan.completed[node.parent, task, index] = value
    plan.drops[node.id].add(channel)
    saving = plan.savings[channel]
    saving.taken += size
    saving.values += bool(size)
