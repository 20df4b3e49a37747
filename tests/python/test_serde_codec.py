"""The engine's codec against upstream's serializer: the same bytes and objects, or none."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import decimal
import enum
import functools
import ipaddress
import math
import pathlib
import re
import threading
import time as time_module
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NamedTuple

import ormsgpack
import pytest
from _modes import as_in_drop_in_mode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer as Upstreams
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from langgraph_rust.checkpoint.serde._classes import look_at
from langgraph_rust.checkpoint.serde.event_hooks import register_serde_event_listener
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)

pytestmark = pytest.mark.filterwarnings(
    "ignore:Generating overly large repr", "ignore:Pydantic ser"
)


# --- classes ---


class Part(TypedDict, total=False):
    text: str
    size: int


class Leaf(BaseModel):
    n: int
    tags: list[str] = []


class Tree(BaseModel):
    leaf: Leaf
    leaves: list[Leaf] = []
    by_name: dict[str, Leaf] = {}
    part: Part | None = None
    at: datetime | None = None
    own: uuid.UUID | None = None
    anything: Any = None
    number: float | str = 0.0
    kind: Literal["a", "b"] = "a"


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    n: Any = None


class Shouting(BaseModel):
    word: str

    @field_serializer("word")
    def shout(self, word: str) -> str:
        return word.upper()


class Counted(BaseModel):
    n: Any = 0

    @computed_field
    def twice(self) -> str:
        return f"{self.n}{self.n}"


class Picky(BaseModel):
    n: Any = None

    @field_validator("n")
    @classmethod
    def wraps(cls, n: Any) -> Any:
        return [n]

    @model_validator(mode="after")
    def notes(self) -> Picky:
        self.__dict__["noted"] = True
        return self


class Dumped(BaseModel):
    n: Any = None

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"n": ["dumped", super().model_dump(**options)["n"]]}


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    n: Any = Field(None, alias="number")


class Hidden(BaseModel):
    n: Any = None
    secret: str = Field("s", exclude=True)
    _private: int = 1


class Late(BaseModel):
    n: Any = None
    late: bool = False

    def model_post_init(self, context: Any) -> None:
        self.late = True


class Made(BaseModel):
    n: Any = None

    def __init__(self, **values: Any) -> None:
        super().__init__(**{"n": 1, **values})


class Bounded(BaseModel):
    n: int = Field(0, ge=0, le=10)
    word: str = Field("", max_length=3)


class Vault(BaseModel):
    secret: SecretStr


class MyMessage(HumanMessage):
    extra_field: str = ""


@dataclasses.dataclass
class Plain:
    a: Any
    b: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    a: Any


@dataclasses.dataclass
class Looks:
    """Stored as something else because of what it looks like."""

    node: Any
    arg: Any

    def __hash__(self) -> int:
        return 0


@dataclasses.dataclass
class HasDict:
    dict: Any


@dataclasses.dataclass
class Child(Plain):
    c: Any = None


@pydantic_dataclass
class Checked:
    a: int


class Pair(NamedTuple):
    x: Any
    y: Any


class Color(enum.Enum):
    RED = "red"
    NONE = None


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    HI = "hi"


class Flag(enum.Flag):
    A = 1
    B = 2


class Text(str):
    pass


class Number(int):
    pass


class Items(list):
    pass


class Tags(set):
    pass


class When(datetime):
    pass


ALLOWED = [
    *(Leaf, Tree, Loose, Shouting, Counted, Picky, Dumped, Aliased, Hidden, Late, Made, Bounded),
    *(Plain, Slotted, Looks, HasDict, Child, Checked, Pair, Color, Level, Word, Flag, Tags, When),
    *(Vault, MyMessage),
]

OURS = as_in_drop_in_mode(allowed_msgpack_modules=ALLOWED)
THEIRS = Upstreams(allowed_msgpack_modules=ALLOWED)


# --- values ---

texts = st.text(st.characters(), max_size=40) | st.just("\ud800 half a pair")
numbers = st.integers(-(2**64), 2**65) | st.integers(-40, 300)
scalars = st.none() | st.booleans() | numbers | st.floats() | texts | st.binary(max_size=300)
zones = st.none() | st.just(timezone.utc) | st.just(timezone(timedelta(hours=2)))
leaves = (
    scalars
    | st.datetimes(timezones=zones)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.decimals()
    | st.ip_addresses()
    | st.sampled_from([*Color, *Level, *Word, Flag.A | Flag.B, timezone.utc, Text("t"), Number(7)])
    | st.builds(bytearray, st.binary(max_size=5))
    | st.builds(memoryview, st.binary(max_size=5))
    | st.sampled_from(
        [
            pathlib.PurePosixPath("/a/b"),
            pathlib.Path("a"),
            re.compile("a+", re.I),
            ValueError("no"),
            ipaddress.ip_network("10.0.0.0/8"),
            object(),
            ormsgpack.Ext(100, b"x"),
            When(2020, 1, 1),
        ]
    )
)
keys = texts | numbers | st.none() | st.booleans() | st.floats(allow_nan=False) | st.uuids()
keys |= st.dates() | st.tuples(st.integers(0, 9), st.text(max_size=2)) | st.sampled_from([*Color])
keys |= st.binary(max_size=3) | st.datetimes() | st.sampled_from([Text("k"), Number(3), Level.LOW])


def containers(values: Any) -> Any:
    return (
        st.lists(values, max_size=4)
        | st.lists(values, max_size=20)
        | st.dictionaries(keys, values, max_size=4)
        | st.tuples(values, values)
        | st.builds(Items, st.lists(values, max_size=2))
        | st.builds(OrderedDict, st.dictionaries(texts, values, max_size=2))
        | st.builds(deque, st.lists(values, max_size=3))
        | st.builds(Plain, values, values)
        | st.builds(Slotted, values)
        | st.builds(Looks, values, values)
        | st.builds(HasDict, values)
        | st.builds(Child, values, c=values)
        | st.builds(Pair, values, values)
        | st.builds(Loose, n=values)
        | st.builds(Loose, n=values, more=values)
        | st.builds(lambda value: [value, value, [value]], values)
        | st.builds(Dumped, n=values)
        | st.builds(Counted, n=values)
        | st.builds(Hidden, n=values)
        | st.builds(Picky, n=values)
        | st.builds(Aliased, number=values)
        | st.builds(Late, n=values)
        | st.builds(Made, n=values)
    )


words = st.text(max_size=5)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
anything = st.recursive(leaves, containers, max_leaves=12)
leaf_models = st.builds(Leaf, n=st.integers(-5, 5), tags=st.lists(words, max_size=2))
parts = st.fixed_dictionaries({}, optional={"size": st.integers(0, 9), "text": words})
models = st.builds(
    Tree,
    leaf=leaf_models,
    leaves=st.lists(leaf_models, max_size=2),
    by_name=st.dictionaries(words, leaf_models, max_size=2),
    part=st.none() | parts,
    at=st.none() | st.datetimes(timezones=zones),
    own=st.none() | st.uuids(),
    anything=anything,
    number=st.floats(allow_nan=False) | words,
    kind=st.sampled_from(["a", "b"]),
)
calls = st.fixed_dictionaries(
    {
        "name": words,
        "args": st.dictionaries(words, plain, max_size=2),
        "id": st.none() | words,
    },
    optional={"type": st.just("tool_call")},
)
contents = words | st.lists(words | st.dictionaries(words, plain, max_size=2), max_size=2)
common = {
    "content": contents,
    "id": st.none() | words,
    "name": st.none() | words,
    "additional_kwargs": st.dictionaries(words, plain | anything, max_size=2),
    "response_metadata": st.dictionaries(words, plain, max_size=2),
}
raw_call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
raw_calls = st.fixed_dictionaries({"tool_calls": st.just([raw_call])})
usages = st.fixed_dictionaries(
    {name: st.integers(0, 9) for name in ("input_tokens", "output_tokens", "total_tokens")},
    optional={"input_token_details": st.dictionaries(st.just("cache_read"), st.integers(0, 9))},
)


def made(cls: Any, **values: Any) -> Any:
    """Instances of `cls`; what is left out stays so."""
    return st.fixed_dictionaries(values).map(lambda values: cls(**values))


messages = st.one_of(
    made(HumanMessage, **common),
    made(HumanMessage, **common, more=plain),
    made(SystemMessage, **common),
    made(MyMessage, **common, extra_field=words),
    made(AIMessage, **common, tool_calls=st.lists(calls, max_size=2), usage_metadata=usages),
    made(AIMessage, **{**common, "additional_kwargs": raw_calls}),
    made(AIMessageChunk, **common),
    made(ToolMessage, **common, tool_call_id=words, artifact=plain | anything),
    made(ChatMessage, **common, role=words),
    made(FunctionMessage, **{**common, "name": words}),
    made(RemoveMessage, id=words),
    made(Document, page_content=words, metadata=common["response_metadata"]),
)


@st.composite
def mutated(draw: st.DrawFn) -> BaseMessage:
    """A message that somebody has changed since it was validated."""
    message = draw(messages)
    name = draw(st.sampled_from([*type(message).model_fields]))
    object.__setattr__(message, "__dict__", dict(message.__dict__))
    match draw(st.integers(0, 3)):
        case 0:
            message.__dict__.pop(name)
        case 1:
            message.__dict__[name] = message.__dict__.pop(name)
        case 2:
            message.__dict__["stranger"] = 1
        case _:
            message.__dict__[name] = draw(anything)
    return message


# --- comparisons ---


def encoded(serde: Any, value: Any) -> Any:
    try:
        return serde.dumps_typed(value)
    except ormsgpack.MsgpackEncodeError as error:
        return ormsgpack.MsgpackEncodeError, type(error)


def same(left: Any, right: Any) -> bool:
    """Equal in type and content, models to the last attribute."""
    if type(left) is not type(right):
        return False
    if isinstance(left, BaseModel):
        names = "__dict__", "__pydantic_extra__", "__pydantic_private__", "__pydantic_fields_set__"
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    if dataclasses.is_dataclass(left):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in _fields(left))
    if isinstance(left, dict):
        pairs = zip(left.items(), right.items(), strict=True)
        return len(left) == len(right) and all(
            same(a, c) and same(b, d) for (a, b), (c, d) in pairs
        )
    if isinstance(left, (list, tuple, deque)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, decimal.Decimal):
        return str(left) == str(right)
    return left == right


def _fields(value: Any) -> Any:
    return dataclasses.fields(value)


def agree(value: Any) -> None:
    own, their = encoded(OURS, value), encoded(THEIRS, value)
    assert own == their
    if isinstance(own[1], bytes):
        assert same(OURS.loads_typed(own), THEIRS.loads_typed(their))


@EXAMPLES
@given(anything)
def test_any_values(value: Any) -> None:
    agree(value)


@EXAMPLES
@given(models | leaf_models)
def test_models(value: Any) -> None:
    agree(value)


@EXAMPLES
@given(st.lists(messages | plain, max_size=3))
def test_messages(value: Any) -> None:
    agree(value)


@EXAMPLES
@given(mutated())
def test_messages_that_were_changed(value: Any) -> None:
    agree(value)


ODD: list[Any] = [
    Shouting(word="x"),
    Bounded(n=3, word="abc"),
    Vault(secret=SecretStr("s")),
    Checked(1),
    Leaf.model_construct(n="no number", tags=None),
    Leaf.model_construct(n=1),
    Tree.model_construct(leaf={"n": 1}, leaves=[Loose(n=1)]),
    defaultdict(list, {"a": [1]}),
    Tags([1]),
    [[[[[[]]]]]],
    {1: {2.5: {None: {True: {b"b": {(1, ("a",)): 1}}}}}},
    {"\ud800": 1},
    {frozenset(): 1},
    {object(): 1},
    threading.Lock(),
    Plain,
    lambda: None,
    2**63,
    2**64,
    -(2**63),
    -(2**63) - 1,
    memoryview(b"abcdef")[::2],
    ["x" * n for n in (0, 31, 32, 255, 256, 65535, 65536)],
    [b"x" * n for n in (0, 255, 256, 65535, 65536)],
    [[None] * n for n in (0, 15, 16, 65535, 65536)],
    [dict.fromkeys(range(n)) for n in (0, 15, 16, 65536)],
    [Tags(range(n)) for n in (0, 1, 2, 3, 4, 100)],
    [Slotted("x" * n) for n in range(300)],
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
def test_odd_values(value: Any) -> None:
    agree(value)


def nested(depth: int, around: Any) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = around(value)
    return value


@pytest.mark.parametrize("depth", [1, 100, 253, 254, 255, 256, 300])
@pytest.mark.parametrize("around", [lambda v: [v], lambda v: {"k": v}, lambda v: (v,)])
def test_depth(depth: int, around: Any) -> None:
    agree(nested(depth, around))


@pytest.mark.parametrize("depth", [60, 450])
@pytest.mark.parametrize("around", [Plain, Slotted, lambda v: Plain([v])])
def test_depth_of_records(around: Any, depth: int) -> None:
    value = nested(depth, around)
    own = encoded(OURS, value)
    assert own == encoded(THEIRS, value)
    assert OURS.dumps_typed(OURS.loads_typed(own)) == own


def on_a_small_stack(work: Any) -> Any:
    """Run on a thread with as little stack as threads have anywhere."""
    results: list[Any] = []
    before = threading.stack_size(1 << 20)
    try:
        thread = threading.Thread(target=lambda: results.append(work()))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    return results[0]


def mixed(value: Any) -> Any:
    return Plain(nested(100, lambda inner: [inner])) if value == 1 else Plain([value])


@pytest.mark.parametrize("around", [lambda v: [v], Plain, Slotted, mixed])
def test_too_deep_is_an_error(around: Any) -> None:
    value = nested(5_000, around)

    def fails() -> bool:
        with pytest.raises(ormsgpack.MsgpackEncodeError):
            OURS.dumps_typed(value)
        return True

    assert on_a_small_stack(fails)


@pytest.mark.parametrize("code", [0, 2, 5, 7])
def test_bytes_that_are_too_deep(code: int) -> None:
    body = b"\x01"
    for _ in range(3_000):
        head = b"\x93\xa1m\xa1n\x81\xa1a" if code != 7 else b""
        body = ormsgpack.packb(ormsgpack.Ext(code, head + body))

    def comes_to_an_end() -> bool:
        decoded(OURS.loads_typed, body)
        return True

    assert on_a_small_stack(comes_to_an_end)


def test_cycles_are_an_error() -> None:
    items: list[Any] = []
    items.append(items)
    own = Plain(1)
    own.b = own
    for value in (items, own):
        with pytest.raises(ormsgpack.MsgpackEncodeError, match="Recursion limit reached"):
            OURS.dumps_typed(value)


def test_numpy_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    for array in (
        numpy.arange(6.0).reshape(2, 3),
        numpy.asfortranarray(numpy.arange(6).reshape(2, 3)),
        numpy.arange(10)[::2],
        numpy.array(["a", "bc"]),
        numpy.array(1),
        numpy.zeros((0, 3)),
    ):
        own, their = encoded(OURS, array), encoded(THEIRS, array)
        assert own == their
        assert (OURS.loads_typed(own) == array).all()


def test_numpy_arrays_of_objects() -> None:
    numpy = pytest.importorskip("numpy")
    for value in (numpy.array([object()]), numpy.array([1, "a"], dtype=object)):
        with pytest.raises(ormsgpack.MsgpackEncodeError, match=r"numpy.ndarray, at \[0\]\['k'\]"):
            OURS.dumps_typed([{"k": value}])


class TestWhatIsKnownOfClasses:
    """The fast ways are taken, not only equal to the slow ones."""

    @pytest.mark.parametrize("cls", [HumanMessage, SystemMessage, AIMessage, ToolMessage, Document])
    def test_messages_are_built_without_validating(self, cls: type) -> None:
        known = look_at(cls)
        assert known is not None and known["is_built"]

    @pytest.mark.parametrize("cls", [Leaf, Tree])
    def test_so_are_models_that_customise_nothing(self, cls: type) -> None:
        known = look_at(cls)
        assert known is not None and known["is_built"]

    @pytest.mark.parametrize("cls", [Picky, Late, Made, Bounded, Hidden, Aliased, MyMessage])
    def test_others_are_not(self, cls: type) -> None:
        known = look_at(cls)
        assert known is None or not known["is_built"]

    @pytest.mark.parametrize("cls", [Shouting, Counted, Dumped])
    def test_whoever_has_a_say_in_dumps_is_asked(self, cls: type) -> None:
        assert look_at(cls) is None

    def test_a_class_that_is_patched_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        value = Leaf(n=1)
        agree(value)
        monkeypatch.setattr(Leaf, "model_dump", lambda self: {"n": 2}, raising=False)
        agree(value)

    def test_classes_are_not_kept_alive(self) -> None:
        import gc
        import weakref

        def use() -> weakref.ref[type]:
            own = type("Own", (BaseModel,), {"__annotations__": {"n": int}})
            OURS.dumps_typed(own(n=1))
            return weakref.ref(own)

        gone = use()
        gc.collect()
        assert gone() is None


class Spaced(TypedDict):
    __pydantic_config__ = ConfigDict(str_strip_whitespace=True)  # type: ignore[misc]
    a: str


class HasSpaced(BaseModel):
    spaced: Spaced


class AnyAndInt(BaseModel):
    a: Any
    b: int


class Called(type(BaseModel)):  # type: ignore[misc]
    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        made = super().__call__(*arguments, **named)
        made.n = [made.n]
        return made


class OfCalled(BaseModel, metaclass=Called):
    n: Any = None


class TestWhoHasASay:
    """Code of the class that upstream's serializer calls is called here."""

    OWN = (HasSpaced, AnyAndInt, OfCalled, Leaf, Plain, Color)

    def agree(self, value: Any) -> Any:
        own, theirs = (
            make(allowed_msgpack_modules=self.OWN) for make in (as_in_drop_in_mode, Upstreams)
        )
        stored = own.dumps_typed(value)
        assert stored == theirs.dumps_typed(value)
        read = own.loads_typed(stored)
        assert same(read, theirs.loads_typed(stored))
        return read

    def test_the_validator_of_tool_calls(self) -> None:
        message = AIMessage("x")
        message.tool_calls = [{"name": "f", "args": {}, "id": "1"}]
        assert self.agree(message).tool_calls[0]["type"] == "tool_call"

    def test_the_config_of_a_typed_dict(self) -> None:
        value = HasSpaced(spaced={"a": "x"})
        value.spaced = {"a": " x "}
        assert self.agree(value).spaced == {"a": "x"}

    def test_a_metaclass(self) -> None:
        self.agree(OfCalled(n=1))

    @pytest.mark.parametrize("cls", [HumanMessage, Leaf])
    def test_a_constructor_that_is_replaced(
        self, cls: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value = HumanMessage("x") if cls is HumanMessage else Leaf(n=1)
        self.agree(value)
        calls, before = [], cls.__init__

        @functools.wraps(before)
        def init(self: Any, *given: Any, **named: Any) -> None:
            calls.append(1)
            before(self, *given, **named)

        monkeypatch.setattr(cls, "__init__", init)
        self.agree(value)
        assert len(calls) == 2

    def test_pydantics_own_dump_that_is_replaced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = BaseModel.model_dump
        self.agree(Leaf(n=1))

        @functools.wraps(before)
        def dump(self: Any, **options: Any) -> Any:
            return {**before(self, **options), "n": 7}

        monkeypatch.setattr(BaseModel, "model_dump", dump)
        assert self.agree(Leaf(n=1)).n == 7

    def test_a_dataclass_that_comes_to_look_like_a_model(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.agree(Plain(1))
        monkeypatch.setattr(Plain, "model_dump", lambda self: {"a": 2, "b": 3}, raising=False)
        assert self.agree(Plain(1)) == Plain(2, 3)

    def test_events_come_once(self) -> None:
        value = AnyAndInt(a=Level.LOW, b=1)
        value.b = "no number"  # type: ignore[assignment]
        serde = as_in_drop_in_mode(allowed_msgpack_modules=[AnyAndInt])
        stored, events = serde.dumps_typed(value), []
        unregister = register_serde_event_listener(events.append)
        try:
            serde.loads_typed(stored)
        finally:
            unregister()
        assert len(events) == 1


def deep(record: Callable[[bytes], bytes]) -> bytes:
    body = b"\x01"
    for _ in range(150):
        body = record(body)
    return body


def of(code: int, module: str, name: str, argument: bytes, tail: bytes = b"") -> bytes:
    head = b"\x94" if tail else b"\x93"
    texts = ormsgpack.packb(module) + ormsgpack.packb(name)
    return ormsgpack.packb(ormsgpack.Ext(code, head + texts + argument + tail))


VALIDATE = ormsgpack.packb("model_validate_json")
HUMAN = OURS.dumps_typed(HumanMessage("x", id="i"))[1]
AI = OURS.dumps_typed(AIMessage("x", id="i", additional_kwargs={"k": 1}))[1]


def message(stored: bytes, old: bytes, new: bytes) -> bytes:
    """A stored message with other bytes in the place of `old`."""
    body = ormsgpack.unpackb(stored, ext_hook=lambda code, body: body).replace(old, new, 1)
    return ormsgpack.packb(ormsgpack.Ext(5, body))


NESTED: dict[str, Callable[[bytes], bytes]] = {
    "path": lambda inner: of(1, "pathlib", "Path", inner),
    "packet": lambda inner: of(1, "langgraph.types", "Send", b"\x93\xa1n" + inner + inner[:1]),
    "wrong id": lambda inner: message(HUMAN, b"\xa2id\xa1i", b"\xa2id" + inner),
    "broken text": lambda inner: message(HUMAN, b"\x80", b"\x82\xa1a" + inner + b"\xa1b\xa1\xff"),
    "tool calls": lambda inner: message(AI, b"\xa1k\x01", b"\xaatool_calls" + inner),
    "in what may be anything": lambda inner: message(HUMAN, b"\x80", b"\x81\xa1a" + inner),
    "no tail": lambda inner: message(HUMAN, VALIDATE, inner),
    "unknown": lambda inner: of(5, "nowhere", "Model", b"\x81\xa1a" + inner, VALIDATE),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_records_take_no_longer_than_they_are_long(name: str) -> None:
    body = deep(NESTED[name])
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    began = time_module.perf_counter()
    with contextlib.suppress(ormsgpack.MsgpackDecodeError):
        serde.loads_typed(("msgpack", body))
    assert time_module.perf_counter() - began < 2


class TestInterrupts:
    """A signal that is heard amid encoding or decoding comes out as itself."""

    def test_while_encoding(self) -> None:
        class Rings:
            def _asdict(self) -> Any:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            OURS.dumps_typed([Plain(Rings())])

    def test_while_decoding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = OURS.dumps_typed([Plain(1)])

        def rings(self: Any, *_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Plain, "__init__", rings)
        with pytest.raises(KeyboardInterrupt):
            OURS.loads_typed(data)

    def test_in_a_hook(self) -> None:
        def rings(code: int, body: bytes) -> Any:
            raise KeyboardInterrupt

        data = OURS.dumps_typed([Plain(1)])
        with pytest.raises(KeyboardInterrupt):
            JsonPlusSerializer(__unpack_ext_hook__=rings).loads_typed(data)


class TestErrors:
    @pytest.mark.parametrize(
        ("value", "where"),
        [
            ([1, {"a": [object()]}], "[1]['a'][0]"),
            ({1: Plain(0, b=object())}, "[1].b"),
            ([HumanMessage("x", additional_kwargs={"k": object()})], "[0].additional_kwargs['k']"),
            (Tree(leaf=Leaf(n=1), anything=[object()]), ".anything[0]"),
            ((1, {object(): 1}), "[1]"),
        ],
    )
    def test_say_where(self, value: Any, where: str) -> None:
        with pytest.raises(ormsgpack.MsgpackEncodeError) as caught:
            OURS.dumps_typed(value)
        assert f", at {where}" in str(caught.value)

    def test_say_what(self) -> None:
        with pytest.raises(
            ormsgpack.MsgpackEncodeError, match="serializable: object, at"
        ) as caught:
            OURS.dumps_typed([object()])
        assert isinstance(caught.value.__cause__, TypeError)

    def test_a_list_that_changes_meanwhile(self) -> None:
        items: list[Any] = []

        class Shrinks:
            def _asdict(self) -> Any:
                items.clear()
                return {}

        items += [Shrinks(), 1, 2]
        with pytest.raises(ormsgpack.MsgpackEncodeError, match="was changed"):
            OURS.dumps_typed(items)

    def test_a_dict_that_changes_meanwhile(self) -> None:
        own: dict[Any, Any] = {}

        class Grows:
            def _asdict(self) -> Any:
                own.update(dict.fromkeys(range(100)))
                return {}

        own["a"] = Grows()
        with pytest.raises(ormsgpack.MsgpackEncodeError, match="was changed"):
            OURS.dumps_typed(own)


class Broken(str):
    """What was wrong with the bytes."""


def agree_on_bytes(body: bytes) -> None:
    """The same value or none, whatever happened to the bytes."""
    own = decoded(OURS.loads_typed, body)
    if own == "unexpected end of file":
        # Upstream makes room for as many items as are claimed before it finds that out.
        return
    theirs = decoded(THEIRS.loads_typed, body)
    # Of some broken records we give what can be read, and upstream nothing of the whole.
    both = isinstance(own, Broken) and isinstance(theirs, Broken)
    assert both or theirs == "ext_hook failed" or same(own, theirs)


def decoded(decode: Any, data: bytes) -> Any:
    """What the bytes hold, or the text of the error."""
    try:
        return decode(("msgpack", data))
    except ormsgpack.MsgpackDecodeError as error:
        return Broken(str(error))


@EXAMPLES
@given(anything | messages, st.data())
def test_broken_bytes(value: Any, data: st.DataObject) -> None:
    try:
        body = bytearray(OURS.dumps_typed([value])[1])
    except ormsgpack.MsgpackEncodeError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(body) - 1))
        body[position] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(1, len(body)))]
    agree_on_bytes(bytes(body))


@EXAMPLES
@given(st.binary(max_size=60))
def test_random_bytes(body: bytes) -> None:
    agree_on_bytes(body)


@pytest.mark.parametrize("kind", [b"\xdd", b"\xdf", b"\xc6", b"\xdb", b"\xc9"])
def test_nothing_is_made_ready_for_what_is_only_claimed(kind: bytes) -> None:
    with pytest.raises(ormsgpack.MsgpackDecodeError, match="unexpected end of file"):
        OURS.loads_typed(("msgpack", kind + b"\xff\xff\xff\xff\x00"))


def test_a_serializer_can_be_copied() -> None:
    own = copy.deepcopy(OURS)
    value = [HumanMessage("x"), Plain(1)]
    assert own.loads_typed(own.dumps_typed(value)) == value
