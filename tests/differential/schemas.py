"""State schemas from data: a class with a channel or reducer for each key."""

from __future__ import annotations

import dataclasses
import operator
from typing import Annotated, Any, TypedDict

from langgraph.channels import (
    AnyValue,
    EphemeralValue,
    LastValueAfterFinish,
    Topic,
    UntrackedValue,
)
from langgraph.graph.message import add_messages
from langgraph.managed import IsLastStep, RemainingSteps
from pydantic import create_model

from tests.differential.generate_values import KINDS


def merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """A reducer of the program's own, which the engine cannot know."""
    return {**left, **right, "merges": left.get("merges", 0) + 1}


TYPES: dict[str, Any] = {
    "last": Any,
    "add": Annotated[list, operator.add],
    "sum": Annotated[int, operator.add],
    "merge": Annotated[dict, merge],
    "messages": Annotated[list, add_messages],
    "ephemeral": Annotated[Any, EphemeralValue],
    "untracked": Annotated[Any, UntrackedValue],
    "any": Annotated[Any, AnyValue],
    "topic": Annotated[list, Topic(object)],
    "after_finish": Annotated[Any, LastValueAfterFinish],
}
DEFAULTS: dict[str, Any] = {"add": list, "messages": list, "merge": dict, "sum": int}


def state_schema(schema: dict[str, Any], name: str) -> type:
    """The class of the whole state."""
    made = _make(schema["form"], name, schema["keys"])
    if schema["managed"] and schema["form"] == "typeddict":
        made.__annotations__["is_last"] = IsLastStep
        made.__annotations__["remaining"] = RemainingSteps
    return made


def part_schema(schema: dict[str, Any], part: str, name: str) -> type | None:
    """The class of the input or output, if it has fewer keys than the state."""
    return _make(schema["form"], name, schema[part]) if schema[part] else None


def private_schema(schema: dict[str, Any]) -> type:
    """The input of a node that reads a key which the state does not have."""
    return _make("typeddict", "Private", [*schema["keys"][:1], "private"])


def _make(form: str, name: str, keys: list[str]) -> type:
    kinds = {key: KINDS.get(key, "last") for key in keys}
    if form == "typeddict":
        return TypedDict(name, {key: TYPES[kind] for key, kind in kinds.items()}, total=False)
    if form == "dataclass":
        fields = [
            (key, TYPES[kind], dataclasses.field(default_factory=DEFAULTS.get(kind, _nothing)))
            for key, kind in kinds.items()
        ]
        return dataclasses.make_dataclass(name, fields)
    defaults = {key: DEFAULTS.get(kind, _nothing)() for key, kind in kinds.items()}
    return create_model(name, **{key: (TYPES[kinds[key]], defaults[key]) for key in keys})


def _nothing() -> None:
    return None
