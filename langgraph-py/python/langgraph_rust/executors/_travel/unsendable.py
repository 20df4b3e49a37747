"""One error, or what stands in for it where it cannot be pickled.

Whoever catches an error, or retries a node for it, goes by its class. So that is kept if it can be,
and without it the nearest of its base classes.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MemberDescriptorType
from typing import Any

from langgraph_rust.errors import GraphBubbleUp
from langgraph_rust.executors._here import is_worker
from langgraph_rust.executors._travel.classes import note_arrival, note_departure
from langgraph_rust.executors._travel.pickling import dumps, loads
from langgraph_rust.executors.base import NotPortableError

__all__ = ("dumps_one", "loads_one")

_Group: Any = getattr(builtins, "BaseExceptionGroup", ())
"""`BaseExceptionGroup`, which Python 3.10 does not have."""

_NOTES = "__notes__"


def dumps_one(error: BaseException) -> bytes:
    """Pickle an error without its cause, or a stand-in for it.

    The stand-in is the first of these that can be sent: a group whose members are sent one by one;
    an error of the same class, without the attributes that cannot be sent; one of the nearest base
    class, which says what the error says. Notes say what it lacks.
    """
    said = _said(error)
    known = note_arrival() if is_worker() else None
    for form, kind in _forms(error, said):
        try:
            body = dumps(form)
            # Some can be pickled, but not be made again.
            made = loads_one(body)
            if type(made) is kind and (not isinstance(form, _StandIn) or str(made) == said):
                return body
        except Exception:
            continue
        finally:
            if known is not None:
                # A class that got its mark now is none of home's, which may never hear of it.
                note_departure(known)
    return dumps(RuntimeError(f"{type(error).__qualname__}: {said}"))


def loads_one(body: bytes) -> BaseException:
    """Return the error that `dumps_one` was given, or its stand-in."""
    loaded = loads(body)
    return loaded.made() if isinstance(loaded, (_Parts, _Members)) else loaded


class _Parts:
    """An error whose class takes other arguments than it keeps."""

    def __init__(
        self, kind: type[BaseException], args: tuple[Any, ...], state: Mapping[str, Any]
    ) -> None:
        self.kind = kind
        self.args = args
        self.state = dict(state)

    def made(self) -> BaseException:
        """Make it."""
        made: BaseException = self.kind.__new__(self.kind, *self.args)
        made.args = self.args
        vars(made).update(self.state)
        return made


class _StandIn(_Parts):
    """What is left of an error, with attributes that its class keeps apart from others."""

    slots: Mapping[str, Any] = {}

    def made(self) -> BaseException:
        """Make it."""
        made = super().made()
        for name, value in self.slots.items():
            with suppress(AttributeError, TypeError):
                setattr(made, name, value)
        return made


class _Members:
    """A group whose members travel one by one."""

    def __init__(self, group: Any, state: dict[str, Any]) -> None:
        self.kind: Any = type(group)
        self.message: str = group.message
        self.members = [dumps_one(member) for member in group.exceptions]
        self.state = state

    def made(self) -> BaseException:
        """Make it."""
        members = [loads_one(member) for member in self.members]
        made: BaseException = self.kind.__new__(self.kind, self.message, members)
        vars(made).update(self.state)
        return made


def _forms(error: BaseException, said: str) -> Iterator[tuple[Any, type[BaseException]]]:
    """The error and what may stand in for it, the best first, with the class that it is to have."""
    kind = type(error)
    yield error, kind
    yield _Parts(kind, error.args, vars(error)), kind
    if isinstance(error, GraphBubbleUp):
        # No failure: graphs would take a stand-in for a question or a command of somebody's.
        text = f"{kind.__qualname__} cannot be sent to another process: {said}"
        yield NotPortableError(text), NotPortableError
        return
    state, left = _portable(vars(error))
    if isinstance(error, _Group):
        yield _Members(error, _noted(state, _lacks(left))), kind
    yield from _stand_ins(error, said, state, left)


def _stand_ins(
    error: BaseException, said: str, state: dict[str, Any], left: list[str]
) -> Iterator[tuple[_StandIn, type[BaseException]]]:
    kind = type(error)
    slots, more = _portable(_slots(error))
    notes = _lacks(left + more)
    for base in kind.__mro__:
        if not issubclass(base, BaseException):
            continue
        if base is not kind:
            notes = [f"It stands for {_path(kind)}, which cannot be sent to another process"]
        stand_in = _StandIn(base, error.args, _noted(state, notes))
        stand_in.slots = slots
        yield stand_in, base
        yield _StandIn(base, (said,), _noted(state, notes)), base


def _portable(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Those attributes that can be sent, and the names of the others."""
    sent: dict[str, Any] = {}
    for name, value in attributes.items():
        # Some can be pickled, but not be made again.
        with suppress(Exception):
            loads(dumps(value))
            sent[name] = value
    return sent, [name for name in attributes if name not in sent]


def _slots(error: BaseException) -> dict[str, Any]:
    """Attributes that are not in the error's `__dict__`, such as an `OSError`'s number."""
    found: dict[str, Any] = {}
    for kind in type(error).__mro__:
        for name, member in vars(kind).items():
            if isinstance(member, MemberDescriptorType) and not name.startswith("__"):
                value = getattr(error, name, None)
                if value is not None:
                    found[name] = value
    return found


def _lacks(names: list[str]) -> list[str]:
    listed = ", ".join(map(repr, names))
    return [f"Without {listed}, which cannot be sent to another process"] if names else []


def _noted(state: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """The attributes with more notes."""
    return {**state, _NOTES: [*state.get(_NOTES, ()), *notes]} if notes else state


def _path(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "which cannot be written"
