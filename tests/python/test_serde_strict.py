"""What is read under the own name: what may be, as what it was, or an error that says why not."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import operator
import sqlite3
import sys
import types
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from weakref import WeakSet

import ormsgpack
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, ToolMessage
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, computed_field

from langgraph_rust.cache.memory import InMemoryCache
from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.serde import _known
from langgraph_rust.checkpoint.serde.errors import StoredValueError, TypeNotAllowedError
from langgraph_rust.checkpoint.serde.event_hooks import register_serde_event_listener
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import CachePolicy, Command, Interrupt, Send, interrupt

HERE = __name__
T = TypeVar("T")
CONFIG: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}


class Unlisted(BaseModel):
    """In no graph's schema."""

    n: int = 1


@dataclasses.dataclass
class Plain:
    """Likewise."""

    of: Any = None


class Shade(enum.Enum):
    """Likewise."""

    DARK = 1


@pytest.fixture(autouse=True)
def no_graph_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from langgraph_rust._internal import _serde

    monkeypatch.setattr(_known, "_types", set())
    monkeypatch.setattr(_serde, "_remembered", WeakSet())


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return InMemorySaver()
    return SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))


def record(code: int, *parts: Any) -> Any:
    return ormsgpack.Ext(code, ormsgpack.packb(list(parts)))


def load(value: Any, serde: JsonPlusSerializer | None = None) -> Any:
    """Decode what somebody has put into the database."""
    data = ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)
    return (serde or JsonPlusSerializer()).loads_typed(("msgpack", data))


def again(value: Any, *allowed: Any) -> Any:
    serde = JsonPlusSerializer(allowed_msgpack_modules=allowed)
    return serde.loads_typed(serde.dumps_typed(value))


class TestRowsOfAnAttacker:
    """Nothing that they name is imported, called or built."""

    @pytest.fixture
    def trap(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A module that must not be imported, with a class that must not be built."""
        sprung = tmp_path / "sprung"
        (tmp_path / "trap_module.py").write_text(
            f"open({str(sprung)!r}, 'w')\nclass Trap:\n    def __init__(self, *a, **k): pass\n"
        )
        monkeypatch.syspath_prepend(str(tmp_path))
        return sprung

    RECORDS = [
        (0, ["argument"]),
        (1, [["arguments"]]),
        (2, [{"named": 1}]),
        (3, ["2020-01-01", "fromisoformat"]),
        (3, ["x", "upper"]),
        (3, ["x", "__class__"]),
        (4, [{"field": 1}]),
        (5, [{"field": 1}, "model_validate_json"]),
    ]

    @pytest.mark.parametrize(("code", "rest"), RECORDS)
    @pytest.mark.parametrize("within", ["value", "list", "delta", "message", "packet"])
    def test_a_module_is_not_imported(
        self, code: int, rest: list[Any], within: str, trap: Path
    ) -> None:
        value = record(code, "trap_module", "Trap", *rest)
        around = {
            "value": value,
            "list": [1, {"k": value}],
            "delta": ormsgpack.Ext(7, ormsgpack.packb([value])),
            "message": record(
                5,
                "langchain_core.messages.human",
                "HumanMessage",
                {"content": "x", "additional_kwargs": {"k": value}, "type": "human"},
                "model_validate_json",
            ),
            "packet": record(1, "langgraph.types", "Send", ["node", value]),
        }
        with pytest.raises(TypeNotAllowedError, match=r"trap_module\.Trap"):
            load(around[within])
        assert not trap.exists()
        assert "trap_module" not in sys.modules

    @pytest.mark.parametrize(("code", "rest"), RECORDS)
    @pytest.mark.parametrize(
        "name", [("os", "system"), ("subprocess", "Popen"), ("builtins", "eval")]
    )
    def test_nothing_that_is_loaded_is_called(
        self, code: int, rest: list[Any], name: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def called(*arguments: Any, **named: Any) -> None:
            raise AssertionError("called")

        if name[0] != "builtins":
            monkeypatch.setattr(sys.modules[name[0]], name[1], called)
        with pytest.raises(TypeNotAllowedError, match="[.]".join(name)):
            load(record(code, *name, *rest))

    @pytest.mark.parametrize(
        ("module", "name", "method"),
        [
            ("pathlib", "Path", "unlink"),
            ("datetime", "datetime", "strptime"),
            ("langgraph.types", "Send", "__init_subclass__"),
            ("uuid", "UUID", "fromisoformat"),
        ],
    )
    def test_methods_of_safe_types_are_not_called(
        self, module: str, name: str, method: str, tmp_path: Path
    ) -> None:
        victim = tmp_path / "victim"
        victim.touch()
        with pytest.raises(TypeNotAllowedError, match="never called"):
            load(record(3, module, name, str(victim), method))
        assert victim.exists()

    def test_names_with_dots_lead_nowhere(self) -> None:
        for module, name in (("pathlib", "Path.home"), ("pathlib.os", "system"), ("", "eval")):
            with pytest.raises(TypeNotAllowedError):
                load(record(1, module, name, ["x"]))

    @pytest.mark.parametrize("dtype", ["O", "no type", "<i4,O", "<U99999999999"])
    def test_arrays_of_objects(self, dtype: str) -> None:
        pytest.importorskip("numpy")
        with pytest.raises(StoredValueError, match="numpy array that cannot be read"):
            load(record(6, dtype, [1], "C", b"\x00" * 8))

    def test_old_json(self, trap: Path) -> None:
        value = {"lc": 2, "type": "constructor", "id": ["trap_module", "Trap"], "kwargs": {}}
        data = json.dumps({"k": [value]}).encode()
        with pytest.raises(TypeNotAllowedError, match=r"\['k'\]\[0\].*trap_module.Trap"):
            JsonPlusSerializer().loads_typed(("json", data))
        assert not trap.exists()

    def test_pickles(self) -> None:
        with pytest.raises(NotImplementedError):
            JsonPlusSerializer().loads_typed(("pickle", b"cos\nsystem\n(S'true'\ntR."))

    def test_listeners_hear_of_it(self) -> None:
        events: list[Any] = []
        unregister = register_serde_event_listener(events.append)
        with pytest.raises(TypeNotAllowedError):
            load(record(0, "os", "system", "x"))
        unregister()
        assert events == [{"kind": "msgpack_blocked", "module": "os", "name": "system"}]


class TestBrokenRecords:
    @pytest.mark.parametrize("code", [*range(7), 8, 100])
    def test_are_errors(self, code: int) -> None:
        with pytest.raises(StoredValueError, match=r"a record|array that cannot be read"):
            load({"k": [ormsgpack.Ext(code, ormsgpack.packb([]))]})

    def test_say_where(self) -> None:
        with pytest.raises(StoredValueError) as failed:
            load({"k": [1, ormsgpack.Ext(2, b"\x93\xa1a")]})
        assert failed.value.place == "['k'][1]"

    def test_many_within_one_another_are_told_in_time(self) -> None:
        value: Any = record(0, HERE, "Unlisted", 1)
        for _ in range(300):
            value = record(0, "builtins", "set", [value])
        with pytest.raises(TypeNotAllowedError) as failed:
            load(value)
        assert failed.value.place == "[0]" * 300


class TestPlaces:
    @pytest.mark.parametrize(
        ("value", "place"),
        [
            (Plain(), ""),
            ([1, Plain()], "[1]"),
            ({"k": {2: Plain()}}, "['k'][2]"),
            (Send("n", [Plain()]), ".arg[0]"),
            (Interrupt(Plain(), id="i"), ".value"),
            (Command(update={"a": Plain()}), ".update['a']"),
            (_DeltaSnapshot([Plain()]), "[0]"),
            (AIMessage("x", additional_kwargs={"k": [Shade.DARK]}), ".additional_kwargs['k'][0]"),
            ([frozenset({Shade.DARK})], "[0][0]"),
        ],
    )
    def test_are_those_of_the_encoder(self, value: Any, place: str) -> None:
        with pytest.raises(TypeNotAllowedError) as failed:
            again(value)
        assert failed.value.place == place
        assert str(failed.value).startswith(f"{place}: {HERE}." if place else f"{HERE}.")

    def test_of_the_one_that_fails_among_its_like(self) -> None:
        good, bad = ({"of": 1}, {"of": 1, "gone": 2})
        value = [record(2, HERE, "Plain", fields) for fields in (good, good, bad, good)]
        with pytest.raises(StoredValueError) as failed:
            load(value, JsonPlusSerializer(allowed_msgpack_modules=[Plain]))
        assert failed.value.place == "[2]"

    def test_begin_with_the_channel(self, saver: Any) -> None:
        class State(TypedDict):
            messages: list[Any]

        graph = StateGraph(State).add_node("n", lambda state: {}).add_edge(START, "n")
        compiled = graph.compile(checkpointer=saver)
        compiled.invoke({"messages": [1, {"content": Unlisted()}]}, CONFIG)
        for read in (lambda: compiled.get_state(CONFIG), lambda: [*saver.list(CONFIG)]):
            with pytest.raises(TypeNotAllowedError) as failed:
                read()
            assert failed.value.place == "messages[1]['content']"

    def test_of_writes_and_histories_too(self, saver: Any) -> None:
        checkpoint = empty_checkpoint()
        config = saver.put(CONFIG, checkpoint, {}, {})
        saver.put_writes(config, [("some", [Unlisted()])], "task")
        later = saver.put(config, {**checkpoint, "id": "f"}, {}, {})
        with pytest.raises(TypeNotAllowedError) as failed:
            saver.get_tuple(config)
        assert failed.value.place == "some[0]"
        with pytest.raises(TypeNotAllowedError) as failed:
            saver.get_delta_channel_history(config=later, channels=["some"])
        assert failed.value.place == "some[0]"

    def test_of_what_cannot_be_stored(self, saver: Any) -> None:
        config = saver.put(CONFIG, empty_checkpoint(), {}, {})
        with pytest.raises(TypeError, match=r"lock, at some\['k'\]$"):
            saver.put_writes(config, [("some", {"k": __import__("threading").Lock()})], "task")
        checkpoint: Any = {**empty_checkpoint(), "channel_values": {"some": [object()]}}
        with pytest.raises(TypeError, match=r"object, at some\[0\]$"):
            saver.put(CONFIG, checkpoint, {}, {"some": 1})


class TestTypesThatAreAllowed:
    def test_an_error_says_how(self) -> None:
        with pytest.raises(TypeNotAllowedError) as refused:
            again(Plain(1))
        assert (refused.value.module, refused.value.name) == (HERE, "Plain")
        text = str(refused.value)
        assert f"JsonPlusSerializer(allowed_msgpack_modules=[({HERE!r}, 'Plain')])" in text
        assert "compile the graph first" in text

    @pytest.mark.parametrize("allowed", [(HERE, "Plain"), Plain])
    def test_by_name_or_class(self, allowed: Any) -> None:
        assert again(Plain(1), allowed) == Plain(1)

    def test_all(self, caplog: pytest.LogCaptureFixture) -> None:
        serde = JsonPlusSerializer(allowed_msgpack_modules=True)
        assert serde.loads_typed(serde.dumps_typed(Unlisted())) == Unlisted()
        assert "unregistered type" in caplog.text

    def test_by_a_copy_of_a_saver(self, saver: Any) -> None:
        config = saver.put(CONFIG, empty_checkpoint(), {}, {})
        saver.put_writes(config, [("some", Plain(1))], "task")
        with pytest.raises(TypeNotAllowedError):
            saver.get_tuple(config)
        found = saver.with_allowlist([(HERE, "Plain")]).get_tuple(config)
        assert found.pending_writes == [("task", "some", Plain(1))]

    def test_those_that_are_harmless(self) -> None:
        values = [{1}, uuid.UUID(int=1), Path("a"), datetime.timedelta(1), Document("x")]
        assert again(values) == values

    def test_artifacts_of_messages_are_plain_data(self) -> None:
        # Pydantic dumps what is in a message, so no type of it is stored.
        message = ToolMessage("x", tool_call_id="1", artifact=[Plain(1), Unlisted()])
        assert again(message).artifact == [{"of": 1}, {"n": 1}]


# --- what graphs hold ---


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: int
    color: Color


@dataclasses.dataclass
class Counted:
    name: str
    times: int = dataclasses.field(init=False, default=0)


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int = Field(alias="X")

    @computed_field
    def twice(self) -> int:
        return 2 * self.x


class Numbers(RootModel[list[int]]):
    pass


class Box(BaseModel, Generic[T]):
    of: T


Levels = Box[Level]


class Inner(BaseModel):
    color: Color
    counted: list[Counted]
    secret: SecretStr


class Moment(datetime.datetime):
    pass


class Id(uuid.UUID):
    pass


class Wide(TypedDict):
    inner: Mapping[str, Inner | None]
    point: Annotated[Point, lambda old, new: new]
    sequence: Sequence[tuple[Counted, ...]]
    aliased: Aliased
    numbers: Numbers
    levels: Levels
    moment: Moment
    own: Id
    level: Literal[Level.LOW]


VALUES: dict[str, Any] = {
    "inner": {"k": Inner(color=Color.RED, counted=[Counted("a")], secret=SecretStr("s"))},
    "point": Point(1, Color.RED),
    "sequence": [[Counted("b")]],
    "aliased": Aliased(X=1),
    "numbers": Numbers([1, 2]),
    "levels": Levels(of=Level.LOW),
    "moment": Moment(2024, 1, 2),
    "own": Id(int=1),
    "level": Level.LOW,
}


class Sent(BaseModel):
    n: int


class Result(BaseModel):
    n: int


@task
def compute(n: int) -> list[Result]:
    return [Result(n=n)]


class Later(TypedDict):
    plain: Plain
    unresolved: NotThere  # type: ignore[name-defined]  # noqa: F821


class TestTypesOfGraphs:
    def test_need_no_switch(self, saver: Any) -> None:
        graph = StateGraph(Wide).add_node("n", lambda state: {}).add_edge(START, "n")
        compiled = graph.compile(checkpointer=saver)
        VALUES["sequence"][0][0].times = 7
        compiled.invoke(VALUES, CONFIG)
        found = compiled.get_state(CONFIG).values
        assert found == VALUES
        assert {key: type(value) for key, value in found.items()} == {
            key: type(value) for key, value in VALUES.items()
        }
        # The saver by itself, too: what a graph holds is known to the process.
        assert next(iter(saver.list(CONFIG))).checkpoint["channel_values"] == VALUES

    def test_unknown_before_there_is_a_graph(self, saver: Any) -> None:
        config = saver.put(CONFIG, empty_checkpoint(), {}, {})
        saver.put_writes(config, [("n", Sent(n=1))], "task")
        with pytest.raises(TypeNotAllowedError):
            saver.get_tuple(config)

        def node(state: Sent) -> dict[str, Any]:
            return {}

        graph = StateGraph(Wide).add_node("n", node).add_edge(START, "n")
        graph.compile()
        assert saver.get_tuple(config).pending_writes == [("task", "n", Sent(n=1))]

    def test_of_tasks_and_entrypoints(self, saver: Any) -> None:
        # The task was made before the fixture forgot all.
        again_compute = task(compute.func)

        @entrypoint(checkpointer=saver)
        def flow(color: Color) -> Point:
            made = again_compute(3).result()
            return Point(interrupt(made[0].n), color)

        flow.invoke(Color.RED, CONFIG)
        assert flow.invoke(Command(resume=5), CONFIG) == Point(5, Color.RED)
        assert flow.get_state(CONFIG).values == Point(5, Color.RED)

    def test_in_caches(self) -> None:
        class State(TypedDict):
            n: int
            result: Result

        calls: list[int] = []

        def node(state: State) -> Any:
            calls.append(1)
            return {"result": Result(n=state["n"])}

        graph = StateGraph(State).add_node("n", node, cache_policy=CachePolicy())
        compiled = graph.add_edge(START, "n").compile(cache=InMemoryCache())
        results = [compiled.invoke({"n": 1}) for _ in range(2)]  # type: ignore[typeddict-item]
        assert results == [{"n": 1, "result": Result(n=1)}] * 2
        assert len(calls) == 1

    def test_one_that_cannot_be_resolved_does_not_hide_the_others(self) -> None:
        from langgraph_rust._internal._serde import collect_allowlist_from_schemas

        assert collect_allowlist_from_schemas(schemas=[Later]) == {(HERE, "Plain")}

    def test_subclasses_are_types_of_their_own(self, saver: Any) -> None:
        graph = StateGraph(Wide).add_node("n", lambda state: {}).add_edge(START, "n")
        compiled = graph.compile(checkpointer=saver)

        compiled.invoke({"own": Deeper(int=1)}, CONFIG)
        said = r"^Checkpoint .* of thread '1': own: .*Deeper"
        with pytest.raises(TypeNotAllowedError, match=said):
            compiled.get_state(CONFIG)


class Deeper(Id):
    pass


class TestClassesThatChanged:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (record(2, HERE, "Gone", {"a": 1}), "at the top level of that module"),
            (record(5, "no.such.module", "Gone", {"a": 1}, "m"), "at the top level of that module"),
            (record(2, HERE, "Plain", {"gone": 1}), "cannot be rebuilt.*'gone'"),
            (record(0, HERE, "Shade", 7), "cannot be rebuilt.*7 is not a valid Shade"),
            (record(5, HERE, "Unlisted", {"n": "x"}, "m"), "cannot be rebuilt.*n: Input should"),
        ],
    )
    def test_are_errors(self, value: Any, reason: str) -> None:
        allowed = [Plain, Shade, Unlisted, (HERE, "Gone"), ("no.such.module", "Gone")]
        with pytest.raises(StoredValueError, match=reason) as failed:
            load({"k": value}, JsonPlusSerializer(allowed_msgpack_modules=allowed))
        assert failed.value.place == "['k']"
        assert not isinstance(failed.value, TypeNotAllowedError)

    def test_what_was_stored_is_not_shown(self) -> None:
        value = record(5, HERE, "Inner", {"color": "secret", "counted": 1, "secret": "x"}, "m")
        with pytest.raises(StoredValueError) as failed:
            load(value, JsonPlusSerializer(allowed_msgpack_modules=[Inner]))
        assert "'secret'" not in str(failed.value)

    def test_can_be_read_once_they_are_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = types.ModuleType("moved_module")
        monkeypatch.setitem(sys.modules, "moved_module", module)
        value = record(2, "moved_module", "Moved", {"of": 1})
        serde = JsonPlusSerializer(allowed_msgpack_modules=[("moved_module", "Moved")])
        with pytest.raises(StoredValueError):
            load(value, serde)
        module.Moved = Plain  # type: ignore[attr-defined]
        assert load(value, serde) == Plain(1)

    def test_those_within_functions_are_never_found(self) -> None:
        class Local(BaseModel):
            n: int

        with pytest.raises(StoredValueError, match=r"Local is stored here, but is not"):
            again(Local(n=1), Local)


class TestOldJson:
    def test_what_cannot_be_rebuilt(self) -> None:
        for symbol, kwargs in ((["decimal", "Decimal"], {"x": 1}), (["builtins", "set"], {"x": 1})):
            value = {"lc": 2, "type": "constructor", "id": symbol, "kwargs": kwargs}
            with pytest.raises(StoredValueError, match="cannot be rebuilt"):
                JsonPlusSerializer().loads_typed(("json", json.dumps([value]).encode()))

    def test_types_of_graphs_and_allowed_ones(self) -> None:
        symbol = [*HERE.split("."), "Plain"]
        value = {"lc": 2, "type": "constructor", "id": symbol, "kwargs": {"of": {"a": 1}}}
        data = "json", json.dumps(value).encode()
        serde = JsonPlusSerializer(allowed_json_modules=[(*symbol,)])
        assert serde.loads_typed(data) == Plain({"a": 1})
        with pytest.raises(TypeNotAllowedError, match="allowed_json_modules"):
            JsonPlusSerializer().loads_typed(data)
        _known.remember({(HERE, "Plain")})
        assert JsonPlusSerializer().loads_typed(data) == Plain({"a": 1})


class TestWhatWouldComeBackAsLess:
    def test_arrays(self) -> None:
        np = pytest.importorskip("numpy")
        for array in (
            np.array([object()]),
            np.zeros(2, dtype=[("a", "i4")]),
            np.ma.array([1, 2], mask=[0, 1]),
        ):
            with pytest.raises(TypeError, match=r"at \['k'\]"):
                JsonPlusSerializer().dumps_typed({"k": array})

    def test_times_of_other_classes(self) -> None:
        with pytest.raises(TypeNotAllowedError):
            again(Moment(2024, 1, 2))
        assert type(again(Moment(2024, 1, 2), Moment)) is Moment


PROGRAM = """
import langgraph_rust
langgraph_rust.install({arguments})
from dataclasses import dataclass
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
@dataclass
class Mine:
    n: int
serde = JsonPlusSerializer()
try:
    print(serde.loads_typed(serde.dumps_typed(Mine(1))))
except ValueError as error:
    print(type(error).__name__)
"""


class TestDropInMode:
    @pytest.mark.parametrize(
        ("arguments", "variables", "printed"),
        [
            ("", {}, "Mine(n=1)"),
            ("", {"LANGGRAPH_STRICT_MSGPACK": "true"}, "{'n': 1}"),
            ("strict=True", {}, "TypeNotAllowedError"),
            ("", {"LANGGRAPH_RUST_STRICT": "true"}, "TypeNotAllowedError"),
            ("strict=False", {"LANGGRAPH_RUST_STRICT": "true"}, "Mine(n=1)"),
        ],
    )
    def test_reads_as_upstream_unless_told_otherwise(
        self,
        arguments: str,
        variables: dict[str, str],
        printed: str,
        run_program: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert run_program(PROGRAM.format(arguments=arguments)).stdout.strip() == printed

    def test_cannot_become_strict_later(self, run_program: Any) -> None:
        run_program(
            """
            import langgraph_rust
            langgraph_rust.install()
            try:
                langgraph_rust.install(strict=True)
            except RuntimeError as error:
                assert "called before, without strict=True" in str(error)
            else:
                raise AssertionError
            """
        )


# --- in a saver ---


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def logging(saver: Any) -> Any:
    builder = StateGraph(Log).add_node("a", lambda state: {"log": ["a"]})
    return builder.add_edge(START, "a").compile(checkpointer=saver)


def break_checkpoint(saver: Any, checkpoint_id: str) -> None:
    if isinstance(saver, InMemorySaver):
        _, metadata, parent_id = saver.storage["t"][""][checkpoint_id]
        saver.storage["t"][""][checkpoint_id] = (("msgpack", b"\x81\xa1v"), metadata, parent_id)
    else:
        changed = "UPDATE checkpoints SET checkpoint = x'81a176' WHERE checkpoint_id = ?"
        saver.conn.execute(changed, (checkpoint_id,))
        saver.conn.commit()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_broken_checkpoint_is_named_and_the_thread_goes_on_behind_it(kind: str) -> None:
    with ExitStack() as stack:
        saver: Any = InMemorySaver()
        if kind == "sqlite":
            saver = stack.enter_context(SqliteSaver.from_conn_string(":memory:"))
        app, config = logging(saver), {"configurable": {"thread_id": "t"}}
        app.invoke({"log": ["q"]}, config)
        newest, before, *_ = saver.list(config)
        broken = newest.checkpoint["id"]
        break_checkpoint(saver, broken)
        for read in (app.get_state, lambda config: app.invoke({"log": ["more"]}, config)):
            with pytest.raises(StoredValueError, match=f"Checkpoint {broken} of thread 't': "):
                read(config)
        assert app.invoke({"log": ["on"]}, before.config)["log"] == ["q", "on", "a"]
        assert app.invoke({"log": ["on"]}, config)["log"] == ["q", "on", "a", "on", "a"]


@dataclasses.dataclass
class Previous:
    count: int


def test_what_an_entrypoint_had_before_is_of_its_signature() -> None:
    @entrypoint(checkpointer=InMemorySaver())
    def counting(given: int, *, previous: Previous | None = None):
        return Previous((previous.count if previous else 0) + given)

    config: Any = {"configurable": {"thread_id": "previous"}}
    counting.invoke(1, config)
    assert counting.invoke(2, config) == Previous(3)
