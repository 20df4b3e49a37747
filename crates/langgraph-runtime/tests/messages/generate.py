"""Writes `stored.tsv` and `merged.jsonl`: what upstream stores and merges of messages.

Run it with the interpreter of the environment that has upstream in it (`sync.environments`), in the
release that `sync/upstream.toml` pins:

    .cache/envs/upstream-cp311/bin/python crates/langgraph-runtime/tests/messages/generate.py

`stored.tsv` has a message a line: the bytes that `JsonPlusSerializer` writes, in hexadecimal, and
the JSON that it was made from, or `-` where only its bytes are of interest. `merged.jsonl` has a
call of `add_messages` a line: `left` and `right`, and `result`, the bytes of the list that came of
it, with "new" for ids that were made up, or null if it raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
    convert_to_messages,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages

HERE = Path(__file__).parent
CALL = {"name": "search", "args": {"query": "weather", "limit": 3}, "id": "call_1"}
BROKEN = {"name": "search", "args": '{"query": ', "id": "call_2", "error": "no JSON"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}}
RAW_CALLS = [
    {
        "id": "call_3",
        "type": "function",
        "function": {
            "name": "search",
            "arguments": '{"query": "rain", "deep": {"z": 1, "a": [2.5]}}',
        },
    },
    {"id": "call_4", "type": "function", "function": {"name": "search", "arguments": '{"query'}},
]
USAGE = {
    "input_tokens": 12,
    "output_tokens": 30,
    "total_tokens": 42,
    "input_token_details": {"audio": 1, "cache_creation": 2, "cache_read": 3},
    "output_token_details": {"audio": 4, "reasoning": 5},
}


class Shouted(HumanMessage):
    """A class of somebody's own, of a kind that there is."""

    volume: int = 11


class Noted(BaseMessage):
    """A kind of somebody's own."""

    type: Literal["note"] = "note"
    pages: list[int] = []


def dumped() -> Iterator[BaseMessage]:
    """Messages that are given as what `model_dump` makes of them."""
    yield HumanMessage("hi")
    yield HumanMessage("")
    yield HumanMessage('grüße, 世界 🌍\n\t"quoted" \\ \u0000')
    yield HumanMessage("x" * 300, id="long", name="ann")
    yield HumanMessage([{"type": "text", "text": "what is this?"}, IMAGE, "and that?"], id="1")
    yield HumanMessage("hi", foo={"z": 1, "a": None}, bar=[1, 2.5, True])
    yield HumanMessage("hi", additional_kwargs={"n": 2**40, "m": -1, "u": 2**63, "f": 1e300})
    yield AIMessage("hello")
    yield AIMessage("hello", id="run-1", name="bot", response_metadata={"finish_reason": "stop"})
    yield AIMessage("", tool_calls=[CALL])
    yield AIMessage("", tool_calls=[CALL, {**CALL, "id": None, "args": {}}], id="2")
    yield AIMessage("", invalid_tool_calls=[BROKEN])
    yield AIMessage("", tool_calls=[CALL], invalid_tool_calls=[BROKEN], usage_metadata=USAGE)
    yield AIMessage("", usage_metadata={"total_tokens": 3, "output_tokens": 1, "input_tokens": 2})
    yield AIMessage("", additional_kwargs={"tool_calls": RAW_CALLS, "refusal": None})
    yield AIMessage(
        [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "so"}]
    )
    yield AIMessage("hi", example=True)
    yield SystemMessage("be kind")
    yield SystemMessage(
        [{"type": "text", "text": "be kind", "cache_control": {"type": "ephemeral"}}]
    )
    yield ToolMessage("42", tool_call_id="call_1")
    yield ToolMessage(
        "42", tool_call_id="call_1", artifact={"rows": [[1, "a"], [2, "b"]]}, name="db"
    )
    yield ToolMessage("no luck", tool_call_id="call_1", status="error", id="3")
    yield ToolMessage([{"type": "text", "text": "a"}, "b"], tool_call_id="call_1")
    yield FunctionMessage(content="42", name="search")
    yield ChatMessage("psst", role="critic")
    yield ChatMessage("psst", role="critic", id="4", name="bob")
    yield RemoveMessage(id="1")
    yield RemoveMessage(id=REMOVE_ALL_MESSAGES)
    yield HumanMessageChunk(content="h")
    yield AIMessageChunk(content="h")
    yield AIMessageChunk(
        content="",
        id="run-2",
        tool_call_chunks=[{"name": "search", "args": '{"query": "r"}', "id": "call_1", "index": 0}],
        usage_metadata=USAGE,
    )
    yield AIMessageChunk(content="", chunk_position="last")
    yield SystemMessageChunk(content="h")
    yield ToolMessageChunk(content="h", tool_call_id="call_1")
    yield FunctionMessageChunk(content="h", name="search")
    yield ChatMessageChunk(content="h", role="critic")


FORMS: list[Any] = [
    "hi",
    ["user", "hi"],
    ["human", "hi"],
    ["ai", "hello"],
    ["assistant", "hello"],
    ["system", "be kind"],
    ["developer", "be kind"],
    ["human", ["a", {"type": "text", "text": "b"}]],
    {"role": "user", "content": "hi"},
    {"role": "user", "content": "hi", "id": 5},
    {"role": "user", "content": None},
    {
        "role": "user",
        "content": "hi",
        "name": "ann",
        "id": "1",
        "foo": 1,
        "additional_kwargs": {"z": 1, "a": 2},
    },
    {"role": "user", "content": "hi", "tool_call_id": "odd", "response_metadata": {"a": 1}},
    {"role": "user", "content": [{"type": "text", "text": "what is this?"}, IMAGE]},
    {"role": "assistant", "content": "hello", "tool_calls": [CALL]},
    {"role": "assistant", "content": "", "tool_calls": RAW_CALLS[:1]},
    {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": RAW_CALLS}},
    {"role": "assistant", "content": "hello", "refusal": None, "id": None},
    {"role": "ai", "content": "hello", "example": True},
    {"role": "developer", "content": "be kind", "id": "9"},
    {"role": "system", "content": "be kind"},
    {"role": "tool", "content": "42", "tool_call_id": "call_1"},
    {
        "role": "tool",
        "content": "42",
        "tool_call_id": 7,
        "status": "error",
        "artifact": [1],
        "foo": 2,
    },
    {"role": "function", "content": "42", "name": "search"},
    {"role": "remove", "content": "", "id": "1"},
    {"type": "human", "content": "hi"},
    {"type": "user", "content": "hi", "foo": 1},
    {"type": "assistant", "content": "hello"},
    {"type": "ai", "content": "hello", "id": "1", "tool_calls": [CALL]},
    {"type": "tool", "content": "42", "tool_call_id": "call_1"},
    {"type": "remove", "content": "", "id": "1"},
    dumpd(HumanMessage("hi", id="1")),
    dumpd(ToolMessage("42", tool_call_id="call_1", id="1")),
    dumpd(AIMessageChunk(content="hello", id="1")) | {"kwargs": {"content": "hello", "id": "1"}},
]


def kept() -> Iterator[BaseMessage]:
    """Messages whose JSON says less than their bytes."""
    yield Shouted("hi", id="1")
    yield Noted(content="hi", pages=[1, 2])
    yield ToolMessage("42", tool_call_id="1", artifact=b"\x00\xff")
    yield ToolMessage("42", tool_call_id="1", artifact={1: "a", (2, 3): "b"})
    yield ToolMessage(
        "42",
        tool_call_id="1",
        artifact=[datetime(2024, 5, 6, tzinfo=timezone.utc), date(2024, 5, 6)],
    )
    yield ToolMessage(
        "42",
        tool_call_id="1",
        artifact={"id": UUID(int=7), "price": Decimal("1.50"), "tags": {"a"}},
    )
    yield HumanMessage("hi", additional_kwargs={"inner": HumanMessage("deep"), "pair": (1, 2)})
    older = HumanMessage("hi")
    older.__dict__ = {"id": "1", "example": False, **older.__dict__}
    yield older


MERGES: list[tuple[Any, Any]] = [
    ([], []),
    ([], "hi"),
    ([], ["hi", ["ai", "hello"]]),
    ([], {"role": "user", "content": "hi"}),
    ([{"type": "human", "content": "a", "id": "1"}], [{"type": "ai", "content": "b", "id": "2"}]),
    (
        [{"type": "human", "content": "a", "id": "1"}],
        [{"type": "human", "content": "b", "id": "1"}],
    ),
    ([{"type": "human", "content": "a", "id": "1"}], {"type": "remove", "content": "", "id": "1"}),
    ([{"type": "human", "content": "a", "id": "1"}], {"type": "remove", "content": "", "id": "2"}),
    ([{"type": "human", "content": "a"}], [{"type": "remove", "content": "", "id": "2"}]),
    (
        [{"type": "human", "content": "a", "id": "1"}, {"type": "ai", "content": "b", "id": "2"}],
        [
            {"type": "remove", "content": "", "id": "1"},
            {"type": "human", "content": "again", "id": "1"},
            {"type": "human", "content": "more"},
        ],
    ),
    (
        [{"type": "human", "content": "a", "id": "1"}],
        [
            {"type": "human", "content": "b", "id": "1"},
            {"type": "remove", "content": "", "id": "1"},
        ],
    ),
    (
        [],
        [
            {"type": "human", "content": "b", "id": "1"},
            {"type": "remove", "content": "", "id": "1"},
        ],
    ),
    ([], [{"type": "human", "content": "a", "id": "1"}, {"type": "ai", "content": "b", "id": "1"}]),
    (
        [
            {"type": "human", "content": "a", "id": "1"},
            {"type": "human", "content": "b", "id": "1"},
        ],
        [{"type": "ai", "content": "c", "id": "1"}],
    ),
    (
        [
            {"type": "human", "content": "a", "id": "1"},
            {"type": "human", "content": "b", "id": "1"},
        ],
        [{"type": "remove", "content": "", "id": "1"}],
    ),
    (
        [{"type": "human", "content": "a", "id": "1"}],
        [
            {"type": "human", "content": "gone"},
            {"type": "remove", "content": "", "id": REMOVE_ALL_MESSAGES},
            {"type": "human", "content": "kept"},
        ],
    ),
    (
        [{"type": "human", "content": "a", "id": "1"}],
        [
            {"type": "remove", "content": "", "id": REMOVE_ALL_MESSAGES},
            {"type": "human", "content": "b", "id": "2"},
            {"type": "remove", "content": "", "id": REMOVE_ALL_MESSAGES},
            {"type": "human", "content": "c", "id": "3"},
            {"type": "remove", "content": "", "id": "unknown"},
        ],
    ),
    ([{"type": "human", "content": "a", "id": ""}], [{"type": "human", "content": "b", "id": ""}]),
    (
        [{"type": "human", "content": str(n), "id": str(n)} for n in range(20)],
        [{"type": "ai", "content": str(n), "id": str(n)} for n in range(15, 25)]
        + [{"type": "remove", "content": "", "id": str(n)} for n in range(0, 25, 3)]
        + [{"type": "human", "content": "back", "id": "3"}],
    ),
    (
        [],
        [
            AIMessageChunk(
                content="h", id="1", tool_call_chunks=[{**CALL, "args": "{}", "index": 0}]
            ).model_dump()
        ],
    ),
    ([], [ToolMessageChunk(content="h", tool_call_id="1").model_dump()]),
    ([HumanMessageChunk(content="h", id="1").model_dump()], []),
]


def message(given: Any) -> BaseMessage:
    """Return the message that a form gives; upstream takes chunks only as objects."""
    classes = {c.model_fields["type"].default: c for c in BaseMessage.__subclasses__()}
    chunks = {c.model_fields["type"].default: c for c in _chunk_classes()}
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in chunks:
        return chunks[kind].model_validate(given)
    if kind in classes and "additional_kwargs" in given:
        return classes[kind].model_validate(given)
    return convert_to_messages([given])[0]


def _chunk_classes() -> list[Any]:
    return [
        HumanMessageChunk,
        AIMessageChunk,
        SystemMessageChunk,
        ToolMessageChunk,
        FunctionMessageChunk,
        ChatMessageChunk,
    ]


def merged(left: Any, right: Any) -> dict[str, Any]:
    """Return what `add_messages` makes of the two."""
    lists = [
        [message(item) for item in side] if isinstance(side, list) else message(side)
        for side in (left, right)
    ]
    given = {item.id for side in lists for item in (side if isinstance(side, list) else [side])}
    line: dict[str, Any] = {"left": left, "right": right, "result": None}
    try:
        result = add_messages(*lists)
    except ValueError:
        return line
    for item in result:
        if item.id not in given:
            item.id = "new"
    return line | {"result": stored(result)}


def stored(value: Any) -> str:
    """Return the bytes that upstream stores."""
    kind, data = JsonPlusSerializer().dumps_typed(value)
    assert kind == "msgpack"
    return data.hex()


def main() -> None:
    """Write both files."""
    rows = [(m, json.dumps(m.model_dump(), ensure_ascii=False)) for m in dumped()]
    rows += [(message(form), json.dumps(form, ensure_ascii=False)) for form in FORMS]
    rows += [(m, "-") for m in kept()]
    lines = [f"{stored(m)}\t{given}\n" for m, given in rows]
    (HERE / "stored.tsv").write_text("".join(lines))
    lines = [json.dumps(merged(left, right)) + "\n" for left, right in MERGES]
    (HERE / "merged.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main()
