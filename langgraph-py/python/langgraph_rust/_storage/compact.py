"""Turning whole lists into changes, a thread at a time and each in one transaction."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from langgraph_rust._storage.database import Database
from langgraph_rust._storage.decide import Plan, decide
from langgraph_rust._storage.judge import judge

_ATTEMPTS = 3
"""How often a thread that moves is looked at anew before others have to wait for it."""


@dataclass
class Outcome:
    """What was done, or would be."""

    threads: int = 0
    values: int = 0
    """Values taken out."""
    taken: int = 0
    """Bytes of these."""
    completed: int = 0
    """Writes whose messages got their ids."""
    seen: set[str] = field(default_factory=set)
    """Channels that hold lists."""
    alone: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Threads by channel that was left alone, and reason; by `""`, checkpoints that were."""

    def count(self, plan: Plan) -> None:
        """Add what is planned for a namespace."""
        for saving in plan.savings.values():
            self.values += saving.values
            self.taken += saving.taken
        self.completed += len(plan.completed)


def compact(
    database: Database,
    threads: Sequence[str],
    channels: Collection[str] | None,
    *,
    is_dry: bool,
    tell: Callable[[str], None],
) -> Outcome:
    """Convert threads; what is done stays done if this is stopped at any moment.

    Args:
        database: Opened for writing, unless this is dry.
        threads: Their ids.
        channels: The only ones to convert; all, if `None`.
        is_dry: Whether to only look.
        tell: Is told now and then how far this is.
    """
    outcome = Outcome()
    told = time.monotonic()
    for number, thread in enumerate(threads, 1):
        plans = _compact_thread(database, thread, channels, outcome, is_dry=is_dry)
        outcome.threads += any(plan.drops for plan in plans)
        for plan in plans:
            outcome.count(plan)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            tell(f"{number} of {len(threads)} threads, {outcome.values} values taken out")
    return outcome


def _compact_thread(
    database: Database,
    thread: str,
    channels: Collection[str] | None,
    outcome: Outcome,
    *,
    is_dry: bool,
) -> list[Plan]:
    for attempt in range(_ATTEMPTS):
        with database.looking():
            plans = _plans(database, thread, channels, outcome)
            if is_dry or not any(plan.drops for plan in plans):
                return plans
            seen = database.mark(thread)
        with database.changing():
            if attempt + 1 == _ATTEMPTS:
                # It moves whenever it is looked at: now nobody can move it.
                plans = _plans(database, thread, channels, outcome)
            elif database.has_moved(thread, seen):
                continue
            for plan in plans:
                database.drop(plan.tree, plan.drops)
                database.replace(plan.tree, plan.completed)
            return plans
    raise AssertionError("the last attempt is the last")


def _plans(
    database: Database,
    thread: str,
    channels: Collection[str] | None,
    outcome: Outcome,
) -> list[Plan]:
    plans = []
    for tree in database.trees(thread):
        judged = judge(database, tree)
        plans.append(decide(judged, channels))
        outcome.seen.update(judged.cases)
        for channel, case in judged.cases.items():
            is_wanted = channels is None or channel in channels
            if is_wanted and (reason := case.reason):
                outcome.alone[channel, reason].add(thread)
        for reason, checkpoints in judged.sealed.items():
            outcome.alone["", reason].update(checkpoints)
    return plans


def reasons(outcome: Outcome) -> list[tuple[str, str, int]]:
    """Return what was left alone: channel, reason, and in how many threads (or checkpoints)."""
    total = Counter({key: len(found) for key, found in outcome.alone.items()})
    return [(channel, reason, count) for (channel, reason), count in total.most_common()]
