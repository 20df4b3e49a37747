"""Classes that are sent by their code: those of a script, or within functions.

cloudpickle gives each a mark, by which both processes know it. But whoever gets one that it has
sets the attributes of that once more, as they were sent: home's own would be overwritten by what a
worker has. So what came from home goes back as its mark alone.
"""

from __future__ import annotations

from typing import Any

from langgraph_rust.executors._here import is_worker

__all__ = ("class_of_home", "from_home", "note_arrival", "note_departure")

_here: set[str] = set()
"""Marks of classes that were made in this worker."""


def from_home(kind: type[Any]) -> str | None:
    """Return the mark of a class that a worker has from home; `None` of others, and at home."""
    if not is_worker():
        return None
    mark = _marks().get(kind)
    return None if mark is None or mark in _here else mark


def class_of_home(mark: str) -> type[Any]:
    """Return the class with this mark.

    Raises:
        LookupError: It is no more.
    """
    from cloudpickle import cloudpickle

    found = cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID.get(mark)
    if found is None:
        raise LookupError("A class that was sent to a worker is no more")
    return found


def note_arrival() -> set[str]:
    """Return the marks of the classes that a worker knows when all of a call has arrived."""
    return set(_marks().values())


def note_departure(arrived: set[str]) -> None:
    """Remember which classes have got their marks since: they were made by the node."""
    _here.update(mark for mark in _marks().values() if mark not in arrived)


def _marks() -> Any:
    from cloudpickle import cloudpickle

    return cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS
