"""Who may store, looked up while nobody else can; and the leases of threads."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._writing.claim import Claim, judge, refuse
from langgraph_rust.checkpoint._writing.leases import NOBODY, Change, Held

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.memory import InMemorySaver


class Heads:
    """The newest checkpoints of namespaces, remembered.

    Looking through all ids at each superstep would make long threads slow. Whoever adds or removes
    one changes how many there are, or which was added last.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, str], tuple[int, str, str]] = {}

    def newest(self, thread_id: Any, namespace: str, stored: dict[str, Any]) -> str | None:
        """Return the newest of what is stored in a namespace."""
        if not stored:
            return None
        count, last = len(stored), next(reversed(stored))
        known = self._known.get((thread_id, namespace))
        if known is not None and known[:2] == (count, last):
            return known[2]
        # What was added since is newer than what was known, or all have to be looked at.
        is_next = known is not None and count == known[0] + 1 and last > known[2]
        newest = last if is_next else max(stored)
        self._known[thread_id, namespace] = count, last, newest
        return newest

    def forget(self, thread_id: Any) -> None:
        """Forget a thread."""
        for key in [key for key in [*self._known] if key[0] == thread_id]:
            self._known.pop(key, None)


class _Look:
    """What a thread has."""

    def __init__(self, saver: InMemorySaver, thread_id: Any) -> None:
        self._saver = saver
        self._thread_id = thread_id

    def newest(self, namespace: str) -> str | None:
        return self._saver._heads.newest(self._thread_id, namespace, self.stored(namespace))

    def run_of(self, namespace: str, checkpoint_id: str) -> str | None:
        entry = self.stored(namespace).get(checkpoint_id)
        return self._saver.serde.loads_typed(entry[1]).get("run_id") if entry else None

    def has(self, namespace: str, checkpoint_id: str) -> bool:
        return checkpoint_id in self.stored(namespace)

    def has_child(self, namespace: str, parent: str) -> bool:
        return any(entry[2] == parent for entry in self.stored(namespace).values())

    def tasks(self, namespace: str, checkpoint_id: str) -> Collection[str]:
        place = self._thread_id, namespace, checkpoint_id
        return {task_id for task_id, _ in self._saver.writes.get(place, ())}

    def token(self) -> int | None:
        held = self._saver._leases.get(str(self._thread_id), NOBODY)
        return held.token if held.holder is not None else None

    def stored(self, namespace: str) -> dict[str, Any]:
        # Looking must not make what is looked for.
        return self._saver.storage.get(self._thread_id, {}).get(namespace, {})


def check(saver: InMemorySaver, thread_id: Any, claim: Claim | None) -> None:
    """See whether something may be stored; only with the lock.

    Raises:
        ThreadConflictError: it may not.
    """
    if claim is None:
        return
    look = _Look(saver, thread_id)
    if (refusal := judge(claim, look)) is None:
        return
    other = look.run_of(refusal.namespace, refusal.newest or "")
    holder = saver._leases.get(claim.thread_id, NOBODY).holder
    raise refuse(claim, refusal, other=other, holder=holder)


def change_lease(leases: dict[str, Held], thread_id: str, change: Change) -> Any:
    """Change a thread's lease; only with the lock."""
    leases[thread_id], answer = change(leases.get(thread_id, NOBODY), time.monotonic())
    return answer


def look_at_lease(leases: Mapping[str, Held], thread_id: str) -> tuple[Held, float]:
    """Return a thread's lease, and the time."""
    return leases.get(thread_id, NOBODY), time.monotonic()
