"""From what a node returns to writes: `StateUpdates` and `ControlWrites`."""

from __future__ import annotations

from collections import UserDict, defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel

from langgraph_rust._engine import ControlWrites, StateUpdates
from langgraph_rust.errors import InvalidUpdateError, ParentCommand
from langgraph_rust.types import Command, Send

TASKS = "__pregel_tasks"


@dataclass
class Fields:
    a: Any
    x: Any = None


class Model(BaseModel):
    a: int | None = None
    b: int | None = None
    c: int | None = 5


class Key(str, Enum):
    A = "a"


@pytest.mark.parametrize(
    ("result", "updates"),
    [
        (None, None),
        ({}, []),
        ({"a": 1, "x": 2, "b": None}, [("a", 1), ("b", None)]),
        ({"b": 1, "a": 2}, [("b", 1), ("a", 2)]),
        ({Key.A: 1, 7: 2}, [("a", 1)]),
        (defaultdict(int, a=1, x=2), [("a", 1)]),
        (Command(update={"a": 1, "x": 2}), [("a", 1)]),
        (Command(update=[("a", 1), ("x", 2), ("a", 3)]), [("a", 1), ("a", 3)]),
        (Command(update=Fields(1, 2)), [("a", 1)]),
        (Command(goto="n"), []),
        (Command(update="bare"), []),
        (Command(graph=Command.PARENT, update={"a": 1}), []),
        ([Command(update={"a": 1}), {"b": 2}, None], [("a", 1), ("b", 2)]),
        ((Command(graph=Command.PARENT, update={"a": 1}), Fields(2)), [("a", 2)]),
        (Send("n", 1), []),
        (Fields(1, 2), [("a", 1)]),
        (Fields(None), [("a", None)]),
        (Model(), [("c", 5)]),
        (Model(b=None, a=3, c=5), [("a", 3), ("b", None), ("c", 5)]),
    ],
)
def test_state_updates(result: Any, updates: Any) -> None:
    assert StateUpdates(["a", "b", "c"])(result) == updates


@pytest.mark.parametrize(
    "result", [[], [1], "text", 7, UserDict(a=1), [Command(update={"a": 1}), 7]]
)
def test_what_a_node_must_not_return(result: Any) -> None:
    shown = result[1] if isinstance(result, list) and len(result) > 1 else result
    with pytest.raises(InvalidUpdateError) as error:
        StateUpdates(["a", "b"])(result)
    assert str(error.value) == (
        f"Expected dict, got {shown}\nFor troubleshooting, visit: https://docs.langchain.com/oss/"
        "python/langgraph/errors/INVALID_GRAPH_NODE_RETURN_VALUE"
    )


@pytest.mark.parametrize(
    ("result", "updates"),
    [
        (None, None),
        ({"a": 1}, [("__root__", {"a": 1})]),
        ([1, 2], [("__root__", [1, 2])]),
        ([], [("__root__", [])]),
        (Command(update=3), [("__root__", 3)]),
        (Command(update={"any": 3}), [("any", 3)]),
        (Command(graph=Command.PARENT, update=3), []),
        ([Command(update=3), 4, None], [("__root__", 3), ("__root__", 4), ("__root__", None)]),
    ],
)
def test_a_state_of_one_value(result: Any, updates: Any) -> None:
    assert StateUpdates(["__root__"])(result) == updates


@pytest.mark.parametrize(
    ("result", "writes"),
    [
        (None, []),
        ({"a": 1}, []),
        ([1, Send("n", 1)], []),
        ("n", []),
        (Send("n", 1), [(TASKS, Send("n", 1))]),
        (Command(update={"a": 1}), []),
        (Command(goto="n"), [("branch:to:n", None)]),
        (Command(goto="__end__"), []),
        (Command(goto=Send("n", 1)), [(TASKS, Send("n", 1))]),
        (
            Command(goto=["n", Send("m", 2), "__end__", 7, "n"]),
            [("branch:to:n", None), (TASKS, Send("m", 2)), ("branch:to:n", None)],
        ),
        (
            ({"a": 1}, Command(goto="n"), Send("x", 1), Command(goto=("m",))),
            [("branch:to:n", None), ("branch:to:m", None)],
        ),
        (Command(resume=1), []),
    ],
)
def test_control_writes(result: Any, writes: Any) -> None:
    assert ControlWrites()(result) == writes


def test_a_command_for_the_parent_graph_is_raised() -> None:
    command = Command(graph=Command.PARENT, goto="n")
    for result in (command, [Command(goto="m"), command]):
        with pytest.raises(ParentCommand) as error:
            ControlWrites()(result)
        assert error.value.args == (command,)


def test_a_command_for_a_named_graph_counts_as_for_this_one() -> None:
    assert ControlWrites()(Command(graph="child", goto="n")) == [("branch:to:n", None)]
