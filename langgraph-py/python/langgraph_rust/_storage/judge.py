"""Which stored values the writes before them give again: a walk from the roots of a thread."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from langgraph_rust._storage.database import Content, Database, Node, Sealed, Tree
from langgraph_rust._storage.replay import REPLAYS, Replay, Write, is_overwrite
from langgraph_rust._storage.spans import list_at

_RUNS = "loop"
"""The source of checkpoints that all writes on the one before have gone into."""


Completed = dict[tuple[str, int], bytes]
"""What a value takes to be given again: writes on the checkpoint before in another form, by task id
and index."""


Row = Hashable | None
"""What holds a value that several checkpoints may have between them; `None` for one of its own."""


@dataclass
class Step:
    """What a checkpoint has of a channel."""

    size: int | None
    """Bytes of the value; `None` if it is not there."""
    count: int
    """How many items it has."""
    is_changed: bool
    """Whether something was written since the checkpoint before."""
    row: Row = None
    given: dict[str, Completed] = field(default_factory=dict)
    """By reducer that gives exactly this value, what it takes."""


@dataclass
class Case:
    """What the checkpoints of a namespace say of a channel."""

    steps: dict[str, Step] = field(default_factory=dict)
    against: dict[str, str] = field(default_factory=dict)
    """By reducer, why it is not the channel's."""
    shown: set[str] = field(default_factory=set)
    """Reducers by which something was added: no channel that keeps what was written last does."""
    refusal: str | None = None
    """Why the channel is left alone whatever its reducer."""

    @property
    def reducers(self) -> list[str]:
        """The reducers that it may have."""
        if self.refusal or not self.shown - self.against.keys():
            return []
        return [replay.name for replay in REPLAYS if replay.name not in self.against]

    @property
    def reason(self) -> str | None:
        """Why it is left alone, if it is."""
        if self.refusal or self.reducers:
            return self.refusal
        if len(self.against) == len(REPLAYS):
            return "; ".join(f"not {name}: {why}" for name, why in self.against.items())
        return "nothing was added to a list that held something: it may have no reducer"


class Judged(NamedTuple):
    """What is known of a namespace."""

    tree: Tree
    cases: dict[str, Case]
    """By channel."""
    sealed: dict[str, list[str]]
    """Why some checkpoints were not looked into, and which."""


class _State(NamedTuple):
    """What the walk knows at a checkpoint."""

    node: Node
    versions: Mapping[str, Hashable]
    lists: Mapping[str, bytes]
    """The values that are known: stored or given by what is."""
    writes: Mapping[str, Sequence[Write]]
    is_forked: bool
    """Whether more than one checkpoint comes after it."""


def judge(database: Database, tree: Tree) -> Judged:
    """Look at all checkpoints of a namespace. Holds the values of one at a time in memory."""
    judged = Judged(tree, {}, {})
    children = tree.children
    waiting: list[tuple[Node, _State | None]] = [(node, None) for node in children[None][::-1]]
    while waiting:
        node, before = waiting.pop()
        own = children.get(node.id, ())
        held = _content(database, judged, node)
        lists = {}
        if held is not None:
            lists = _visit(judged.cases, node, held, before, is_shared=database.shares_values)
        if not own:
            continue
        state = _State(
            node,
            held.versions if held else {},
            lists,
            database.writes(tree, node.id) if lists else {},
            len(own) > 1,
        )
        waiting += ((child, state) for child in reversed(own))
    return judged


def _content(database: Database, judged: Judged, node: Node) -> Content | None:
    """Return what a checkpoint holds; `None` if it is not to be touched."""
    try:
        return database.content(judged.tree, node)
    except Sealed as why:
        judged.sealed.setdefault(str(why), []).append(node.id)
        return None


def _visit(
    cases: dict[str, Case],
    node: Node,
    held: Content,
    before: _State | None,
    *,
    is_shared: bool,
) -> dict[str, bytes]:
    """Take in a checkpoint; return the lists that it has."""
    lists = {}
    for channel, version in held.versions.items():
        # The engine's own channels, none of which has a reducer.
        if channel.startswith(("__", "branch:")):
            continue
        value = held.value(channel)
        if value is None:
            known = _given(channel, before) if channel in cases and before else None
        else:
            known = value if list_at(value) else None
            if known is None and channel in cases:
                cases[channel].refusal = "not always a list"
        if value is None and channel not in cases:
            continue
        if known is None and channel not in cases:
            continue
        case = cases.setdefault(channel, Case())
        is_changed = before is None or before.versions.get(channel) != version
        count = (list_at(known) or (0, 0))[0] if known else 0
        size, row = None if value is None else len(value), version if is_shared else None
        step = Step(size, count, is_changed, row)
        case.steps[node.id] = step
        if known is None:
            continue
        lists[channel] = known
        if value is not None and before is not None and channel in before.lists:
            _compare(case, step, node, channel, value, before)
    return lists


def _given(channel: str, before: _State) -> bytes | None:
    """Return the value that a checkpoint does not hold, if it is certain."""
    if channel not in before.lists:
        return None
    old, own = before.lists[channel], before.writes.get(channel, ())
    if not own:
        return old
    made = [replay(old, own, None) for replay in REPLAYS if replay.takes(old)]
    first = made[0]
    # What some reducer would make something else of is not certain.
    return first.value if first and all(one and one.value == first.value for one in made) else None


def _compare(
    case: Case, step: Step, node: Node, channel: str, value: bytes, before: _State
) -> None:
    own = before.writes.get(channel, ())
    old = before.lists[channel]
    if any(is_overwrite(write.value) for write in own):
        return
    for replay in REPLAYS:
        if replay.name in case.against:
            continue
        completed = _completed(replay, value, old, own, before.is_forked)
        if completed is not None:
            step.given[replay.name] = completed
            is_taken = any(write.value == value for write in own)
            if own and value != old and not is_taken and (list_at(old) or (0,))[0]:
                case.shown.add(replay.name)
        elif own and step.is_changed and _has_all(node, before):
            case.against[replay.name] = f"it does not give the value at checkpoint {node.id}"


def _has_all(node: Node, before: _State) -> bool:
    """Whether a checkpoint must have what was written on the one before, and nothing else."""
    follows = (
        node.step is not None and before.node.step is not None and node.step == before.node.step + 1
    )
    return node.source == _RUNS and follows and not before.is_forked


def _completed(
    replay: Replay, value: bytes, old: bytes, own: Sequence[Write], is_forked: bool
) -> Completed | None:
    """Return what it takes to have a reducer give a value; `None` if it does not."""
    if not own:
        return {} if value == old else None
    replayed = replay(old, own, value)
    # What several checkpoints have come of is not changed for one of them.
    if replayed is None or replayed.value != value or (replayed.completed and is_forked):
        return None
    return replayed.completed
