"""Quick calls of tools with any schema and any arguments are ordinary ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, create_model

from langgraph_rust._internal import _quiet
from tests.python._calls import is_quick, note, outcome


class Inner(BaseModel):
    n: int = 1


HINTS: list[Any] = [
    int,
    str,
    float,
    bool,
    Any,
    Inner,
    int | None,
    list[int],
    dict[str, float],
    list[Inner],
    Literal["a", "b"],
    tuple[int, ...],
    Annotated[int, Field(gt=2)],
    Annotated[str, PlainSerializer(lambda value: value * 2)],
    Annotated[Any, InjectedToolArg],
    Annotated[dict, InjectedToolArg()],
    Annotated[str, InjectedToolCallId],
]
EXTRA: list[Literal["allow", "ignore", "forbid"]] = ["allow", "ignore", "forbid"]
NAMES = ["a", "b", "c", "args", "kwargs", "config", "callbacks", "run_manager", "tool_call_id"]

values = st.one_of(
    st.none(),
    st.integers(-3, 5),
    st.sampled_from(["", "a", "1", "x"]),
    st.booleans(),
    st.floats(0, 2),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.sampled_from(["n", "k"]), st.integers(0, 2), max_size=2),
)


@st.composite
def schemas(draw: st.DrawFn) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True)):
        options: dict[str, Any] = {}
        if draw(st.booleans()):
            options["default"] = draw(values)  # not validated, as ever
        if draw(st.integers(0, 5)) == 0:
            options["alias"] = f"{name}_alias"
        if draw(st.integers(0, 5)) == 0:
            options["exclude"] = True
        fields[name] = (draw(st.sampled_from(HINTS)), Field(**options))
    config = ConfigDict(extra=draw(st.sampled_from(EXTRA)), populate_by_name=draw(st.booleans()))
    return create_model("Schema", __config__=config, **fields)


arguments = st.dictionaries(
    st.sampled_from([*NAMES, *(f"{name}_alias" for name in NAMES), "more"]), values, max_size=5
)


@settings(max_examples=300, deadline=None)
@given(schemas(), st.lists(arguments, min_size=1, max_size=3), st.booleans())
def test_any_schema_with_any_arguments(
    schema: type[BaseModel], calls: list[dict[str, Any]], is_handled: bool
) -> None:
    def function(**kwargs: Any) -> Any:
        note(kwargs)
        return {"got": sorted(kwargs)}

    made = StructuredTool.from_function(
        function,
        name="t",
        description="d",
        args_schema=schema,
        handle_validation_error=is_handled,
    )
    for args in calls:
        call = {"type": "tool_call", "name": "t", "id": "1", "args": args}
        for value in (call, args):
            expected = outcome(lambda value=value: made.invoke(_copied(value)))
            found, was_quick = is_quick(
                lambda value=value: outcome(lambda: _quiet.call_tool(made, _copied(value)))
            )
            assert found == expected and was_quick, {
                name: repr(field) for name, field in schema.model_fields.items()
            }


def _copied(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "args": {**value["args"]}} if value.get("type") else {**value}
