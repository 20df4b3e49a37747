"""What schemas say: fields, pydantic models, allowed classes; and cache keys and replays."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar, Union

import pytest
from pydantic import BaseModel, Field
from typing_extensions import NotRequired, ReadOnly, Required, TypedDict

from langgraph_rust._internal._cache import default_cache_key
from langgraph_rust._internal._fields import (
    _is_optional_type,
    _is_readonly_type,
    get_cached_annotated_keys,
    get_enhanced_type_hints,
    get_field_default,
    get_update_as_tuples,
)
from langgraph_rust._internal._pydantic import create_model, get_fields, is_supported_by_pydantic
from langgraph_rust._internal._serde import (
    apply_checkpointer_allowlist,
    build_serde_allowlist,
    collect_allowlist_from_schemas,
)
from langgraph_rust._internal._timeout import coerce_timeout_policy, sync_timeout_unsupported
from langgraph_rust.managed import IsLastStep, RemainingSteps
from langgraph_rust.managed.base import is_managed_value
from langgraph_rust.pregel._run.replay import ReplayState
from langgraph_rust.types import TimeoutPolicy

T = TypeVar("T", bound=Optional[int])  # noqa: UP045


@dataclass
class Inner:
    a: int
    b: str | None = None
    c: list[int] = field(default_factory=list)


class Model(BaseModel):
    a: int = Field(3, description="an a")
    b: int | None = None


class Color(Enum):
    RED = 1


class Outer(TypedDict):
    inner: NotRequired[Inner]
    models: Required[dict[str, list[Model]]]
    color: Annotated[Color | None, "note"]


class TestFields:
    @pytest.mark.parametrize(
        ("annotation", "optional"),
        [
            (None, True),
            (int | None, True),
            (Union[int, None], True),  # noqa: UP007
            (Annotated[int | None, 1], True),
            (T, True),
            (int, False),
            (list[int | None], False),
            (Literal["a"], False),
            (Any, False),
        ],
    )
    def test_optional(self, annotation: Any, optional: bool) -> None:
        assert _is_optional_type(annotation) is optional

    def test_readonly(self) -> None:
        assert _is_readonly_type(Annotated[ReadOnly[int], 1])
        assert not _is_readonly_type(int)

    def test_defaults(self) -> None:
        class Partial(TypedDict, total=False):
            a: int

        assert get_field_default("a", int, Partial) is None
        assert get_field_default("x", Required[int | None], dict) is ...
        assert get_field_default("x", NotRequired[int], dict) is None
        assert get_field_default("x", int | None, dict) is None
        assert get_field_default("a", int, Inner) is ...
        assert get_field_default("c", list, Inner) == []

    def test_hints(self) -> None:
        hints = list(get_enhanced_type_hints(Model))
        assert hints == [("a", int, 3, "an a"), ("b", int | None, None, None)]

    def test_annotated_keys(self) -> None:
        class Child(Inner):
            d: int

        assert get_cached_annotated_keys(Child) == ("a", "b", "c", "d")
        assert get_cached_annotated_keys(int) == ()
        with pytest.raises(TypeError, match="Expected a type"):
            get_cached_annotated_keys(1)  # type: ignore[arg-type]

    def test_updates(self) -> None:
        assert get_update_as_tuples(Model(), ("a", "b")) == [("a", 3)]
        assert get_update_as_tuples(Model(b=None), ("a", "b")) == [("a", 3), ("b", None)]
        assert get_update_as_tuples(Inner(1), ("a", "b", "x")) == [("a", 1), ("b", None)]


class TestModels:
    def test_fields_with_names_that_pydantic_reserves(self) -> None:
        fields = {"_a": (int, 1), "copy": (int, 2), "model_b": (int, ...), "c": (int, 4)}
        schema = create_model("Made", field_definitions=fields).model_json_schema()
        assert schema["title"] == "Made"
        assert set(schema["properties"]) == {"_a", "copy", "model_b", "c"}
        assert schema["required"] == ["model_b"]

    def test_roots(self) -> None:
        assert create_model("Made", root=int).model_json_schema() == {
            "title": "Made",
            "type": "integer",
        }
        with_default = create_model("Made", root=(list[int], [1])).model_json_schema()
        assert with_default["default"] == [1]
        with pytest.raises(NotImplementedError, match="When specifying __root__"):
            create_model("Made", root=int, field_definitions={"a": (int, 1)})

    def test_equal_models_are_one(self) -> None:
        assert create_model("Made", root=int) is create_model("Made", root=int)

    def test_support(self) -> None:
        assert is_supported_by_pydantic(Inner) and is_supported_by_pydantic(Model)
        assert is_supported_by_pydantic(Outer)
        assert not is_supported_by_pydantic(int)

    def test_reading_fields(self) -> None:
        assert list(get_fields(Model)) == ["a", "b"]
        with pytest.raises(TypeError, match="Expected a Pydantic model"):
            get_fields(int)  # type: ignore[arg-type]


class TestAllowlist:
    def test_collects_at_any_depth(self) -> None:
        found = collect_allowlist_from_schemas(schemas=[Outer])
        assert found == {(__name__, "Inner"), (__name__, "Model"), (__name__, "Color")}

    def test_containers_and_new_types(self) -> None:
        wrapped = NewType("wrapped", Inner)
        for schema in (deque[Inner], Optional[frozenset[wrapped]], tuple[Inner, ...]):  # type: ignore[valid-type]  # noqa: UP045
            assert collect_allowlist_from_schemas(schemas=[schema]) == {(__name__, "Inner")}
        assert collect_allowlist_from_schemas(schemas=[Any, Literal["a"], int]) == set()  # type: ignore[list-item]

    def test_channels(self) -> None:
        class Channel(Generic[T]):
            ValueType = Inner
            UpdateType = Color

        found = collect_allowlist_from_schemas(channels={"a": Channel()})
        assert found == {(__name__, "Inner"), (__name__, "Color")}

    def test_messages_are_always_allowed(self) -> None:
        assert ("langchain_core.messages.human", "HumanMessage") in build_serde_allowlist()

    def test_applied_to_savers_that_can(self) -> None:
        class Saver:
            def with_allowlist(self, extra: Any) -> Any:
                return "widened", extra

        assert apply_checkpointer_allowlist(Saver(), {("m", "c")}) == ("widened", {("m", "c")})
        for untouched in (None, True, False):
            assert apply_checkpointer_allowlist(untouched, set()) is untouched
        old = object()
        assert apply_checkpointer_allowlist(old, set()) is old


def test_cache_keys() -> None:
    assert default_cache_key(1, a=[1], b={2: 3}) == default_cache_key(1, b={2: 3}, a=[1])
    assert default_cache_key(1) != default_cache_key(2)


class _Saver:
    """Returns what it was asked."""

    def get_tuple(self, config: Any) -> Any:
        return "latest"

    def list(self, config: Any, *, before: Any, limit: int) -> Any:
        yield before["configurable"]["checkpoint_id"], limit

    async def aget_tuple(self, config: Any) -> Any:
        return "latest"

    async def alist(self, config: Any, *, before: Any, limit: int) -> Any:
        yield before["configurable"]["checkpoint_id"], limit


async def test_replay_bounds_the_first_visit_only() -> None:
    saver: Any = _Saver()
    state = ReplayState("c1")
    assert state.get_checkpoint("a:1", saver, {}) == ("c1", 1)
    assert state.get_checkpoint("a:2", saver, {}) == "latest"
    assert await state.aget_checkpoint("b", saver, {}) == ("c1", 1)
    assert await state.aget_checkpoint("b", saver, {}) == "latest"


def test_managed_values() -> None:
    class Scratchpad:
        step, stop = 3, 4

    values = [annotation.__metadata__[0] for annotation in (IsLastStep, RemainingSteps)]
    assert all(map(is_managed_value, values)) and not is_managed_value(int)
    assert [value.get(Scratchpad()) for value in values] == [True, 1]


def test_timeouts() -> None:
    assert coerce_timeout_policy(1) == TimeoutPolicy(run_timeout=1.0)
    assert str(sync_timeout_unsupported("n", kind="Task")).endswith("Task 'n' is sync.")
