"""What values are stored as that msgpack has no type for: extension records.

Each record has a code and a body, which is packed in turn: the reference of a callable and its
argument. Which record a value gets is decided by what it looks like, in a fixed order that is part
of the format: the first match in `_choose` wins. The engine asks for what it cannot tell by itself
(`_classes`), and packs.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from langgraph_rust._engine import _encode
from langgraph_rust.checkpoint.serde._names import stored_module
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

EXT_CONSTRUCTOR_SINGLE_ARG = 0
"""Code of a record: a class, called with one argument."""
EXT_CONSTRUCTOR_POS_ARGS = 1
"""Code of a record: a class, called with positional arguments."""
EXT_CONSTRUCTOR_KW_ARGS = 2
"""Code of a record: a class, called with keyword arguments."""
EXT_METHOD_SINGLE_ARG = 3
"""Code of a record: a method of a class, called with one argument."""
EXT_PYDANTIC_V1 = 4
"""Code of a record: a model of pydantic 1, with its fields."""
EXT_PYDANTIC_V2 = 5
"""Code of a record: a model of pydantic 2, with its fields."""
EXT_NUMPY_ARRAY = 6
"""Code of a record: a numpy array: type, shape, order of elements, bytes."""
EXT_DELTA_SNAPSHOT = 7
"""Code of a record: the whole value of a delta channel."""

Told = tuple[Any, ...]
"""A record's code and its body; `None` and another value; `None`, what is packed, and `True`."""

_Teller = Callable[[Any], Told]


def _msgpack_enc(value: Any) -> bytes:
    """Return `value` as msgpack; raises `ormsgpack.MsgpackEncodeError` if some part cannot be."""
    return _encode(value, describe)


def _msgpack_default(obj: Any) -> Any:
    """Return what stands for `obj` as `ormsgpack` takes it; for those who pack with that.

    Raises:
        TypeError: nothing is known about values of this kind.
    """
    import ormsgpack

    code, body, *_ = describe(obj)
    return body if code is None else ormsgpack.Ext(code, _msgpack_enc(body))


def describe(obj: Any) -> Told:
    """Return what `obj`, a value msgpack has no type for, is stored as.

    Raises:
        TypeError: nothing is known about values of this kind.
    """
    return (_exact.get(type(obj)) or _choose(obj))(obj)


def describe_strictly(obj: Any) -> Told:
    """Do the same, without what would come back as less than it was.

    Raises:
        TypeError: likewise; or it is an array that would lose its fields, its mask or its class.
    """
    told = describe(obj)
    if told[0] == EXT_NUMPY_ARRAY:
        numpy = sys.modules["numpy"]
        if type(obj) is not numpy.ndarray or obj.dtype.names is not None:
            raise TypeError(
                f"a {type(obj).__name__} of {obj.dtype} would come back without its fields or "
                "class; store a plain array, or several"
            )
    return told


def _record(code: int, obj: Any, argument: Any, *method: str) -> Told:
    cls = obj.__class__
    return code, (stored_module(cls.__module__), cls.__name__, argument, *method)


# --- the records, one by one ---


def _delta_snapshot(obj: Any) -> Told:
    return EXT_DELTA_SNAPSHOT, obj.value


def _pydantic_v2(obj: Any) -> Told:
    # The method's name is not used for decoding, but it is part of the stored bytes.
    return _record(EXT_PYDANTIC_V2, obj, obj.model_dump(), "model_validate_json")


def _secret(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.get_secret_value())


def _pydantic_v1(obj: Any) -> Told:
    return _record(EXT_PYDANTIC_V1, obj, obj.dict())


def _named_tuple(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, obj._asdict())


def _path(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, obj.parts)


def _pattern(obj: Any) -> Told:
    return EXT_CONSTRUCTOR_POS_ARGS, ("re", "compile", (obj.pattern, obj.flags))


def _uuid(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.hex)


def _text(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, str(obj))


def _collection(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, tuple(obj))


def _datetime(obj: Any) -> Told:
    return _record(EXT_METHOD_SINGLE_ARG, obj, obj.isoformat(), "fromisoformat")


def _timedelta(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, (obj.days, obj.seconds, obj.microseconds))


def _date(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, (obj.year, obj.month, obj.day))


def _time(obj: Any) -> Told:
    parts = ("hour", "minute", "second", "microsecond", "tzinfo", "fold")
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, {part: getattr(obj, part) for part in parts})


def _timezone(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, obj.__getinitargs__())


def _zone_info(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.key)


def _enum(obj: Any) -> Told:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.value)


def _send(obj: Any) -> Told:
    timeout = getattr(obj, "timeout", None)
    # Two arguments unless a third is needed, so that older readers understand the common case.
    arguments = (obj.node, obj.arg) if timeout is None else (obj.node, obj.arg, timeout)
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, arguments)


def _dataclass(obj: Any) -> Told:
    # Not asdict(): nested values must keep their types.
    values = {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, values)


def _array(obj: Any) -> Told:
    if obj.dtype.hasobject:
        # Its bytes are addresses: upstream stores them, and reads `None`.
        raise TypeError("an array of Python objects has no bytes of its own; store a list of them")
    if obj.flags.c_contiguous:
        order, buffer = "C", memoryview(obj)
    else:
        order = "F" if obj.flags.f_contiguous else "C"
        buffer = obj.tobytes(order="A")
    return EXT_NUMPY_ARRAY, (obj.dtype.str, obj.shape, order, buffer)


def _exception(obj: BaseException) -> Told:
    return None, repr(obj)


def _packed(obj: Any) -> Told:
    import ormsgpack

    return None, ormsgpack.packb(obj), True


def _refuse(obj: Any) -> Told:
    raise TypeError(f"Object of type {obj.__class__.__name__} is not serializable")


# --- the choice ---

_BY_METHOD: tuple[tuple[str, _Teller], ...] = (
    ("model_dump", _pydantic_v2),
    ("get_secret_value", _secret),
    ("dict", _pydantic_v1),
    ("_asdict", _named_tuple),
)

# By name, so that no module need be imported to tell that a value is none of its types.
_BY_TYPE: dict[tuple[str, str], _Teller] = {
    ("pathlib", "Path"): _path,
    # Where Python 3.13 defines it.
    ("pathlib._local", "Path"): _path,
    ("re", "Pattern"): _pattern,
    ("uuid", "UUID"): _uuid,
    ("decimal", "Decimal"): _text,
    ("builtins", "set"): _collection,
    ("builtins", "frozenset"): _collection,
    ("collections", "deque"): _collection,
    ("ipaddress", "IPv4Address"): _text,
    ("ipaddress", "IPv4Network"): _text,
    ("ipaddress", "IPv6Address"): _text,
    ("ipaddress", "IPv6Network"): _text,
    ("datetime", "datetime"): _datetime,
    ("datetime", "timedelta"): _timedelta,
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "timezone"): _timezone,
    ("zoneinfo", "ZoneInfo"): _zone_info,
    ("enum", "Enum"): _enum,
}

_SINGLE: dict[_Teller, tuple[int, str, Any, str | None]] = {
    _uuid: (EXT_CONSTRUCTOR_SINGLE_ARG, "attribute", "hex", None),
    _enum: (EXT_CONSTRUCTOR_SINGLE_ARG, "attribute", "value", None),
    _text: (EXT_CONSTRUCTOR_SINGLE_ARG, "call", str, None),
    _collection: (EXT_CONSTRUCTOR_SINGLE_ARG, "call", tuple, None),
    _datetime: (EXT_METHOD_SINGLE_ARG, "method", "isoformat", "fromisoformat"),
}
"""The same as the tellers say, for those whose records have one argument: code, how the argument is
had, and what follows it."""

_exact: dict[type, _Teller] = {_DeltaSnapshot: _delta_snapshot}
"""Types of the table above, as they are met: their own instances cannot look like anything else."""


def _choose(obj: Any) -> _Teller:
    if isinstance(obj, _DeltaSnapshot):
        return _delta_snapshot
    for method, teller in _BY_METHOD:
        if callable(getattr(obj, method, None)):
            return teller
    for cls in obj.__class__.__mro__:
        by_type = _BY_TYPE.get((cls.__module__, cls.__name__))
        if by_type is not None:
            if cls is type(obj):
                _exact[cls] = by_type
            return by_type
    if _is_send(obj):
        return _send
    if dataclasses.is_dataclass(obj):
        return _dataclass
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(obj, numpy.ndarray):
        return _array
    if isinstance(obj, BaseException):
        return _exception
    packer = sys.modules.get("ormsgpack")
    if packer is not None and type(obj) is packer.Ext:
        return _packed
    return _refuse


def is_recorded(cls: type) -> bool:
    """Whether instances of `cls` are stored as records that name it, as far as a class can tell."""
    return (
        dataclasses.is_dataclass(cls)
        or any(callable(getattr(cls, method, None)) for method, _ in _BY_METHOD)
        or any((base.__module__, base.__name__) in _BY_TYPE for base in cls.__mro__)
    )


_LOOKS = frozenset((*(method for method, _ in _BY_METHOD), "node", "arg"))


def single_argument(cls: type) -> tuple[int, str, Any, str | None] | None:
    """Return how all instances of `cls` are stored, if their records have one argument."""
    if any(hasattr(cls, name) for name in ("__getattr__", *_LOOKS)):
        return None
    tellers = (_BY_TYPE.get((base.__module__, base.__name__)) for base in cls.__mro__)
    return _SINGLE.get(next(filter(None, tellers), _refuse))


def looks_like_a_dataclass(cls: type) -> bool:
    """Whether all instances of `cls` are stored as dataclasses, whatever is in them."""
    return (
        dataclasses.is_dataclass(cls)
        and not any(hasattr(cls, name) for name in ("__getattr__", *_LOOKS))
        and cls.__getattribute__ is object.__getattribute__
        and not any(field.name in _LOOKS for field in dataclasses.fields(cls))
        and not any((base.__module__, base.__name__) in _BY_TYPE for base in cls.__mro__)
        and not issubclass(cls, (str, int, list, dict))
    )


def _is_send(obj: Any) -> bool:
    # What isinstance(obj, SendProtocol) says, at a tenth of the price. An eq dataclass that is not
    # frozen has no hash, and so is no packet even with these two fields.
    return hasattr(obj, "node") and hasattr(obj, "arg") and obj.__hash__ is not None


def key_of(key: Any) -> Any:
    """Return the plain value that a key of a dict is stored as: text for dates and UUIDs.

    Raises:
        ormsgpack.MsgpackEncodeError: keys of this kind cannot be stored.
    """
    import ormsgpack

    option = ormsgpack.OPT_NON_STR_KEYS
    packed = ormsgpack.packb({key: None}, option=option | ormsgpack.OPT_REPLACE_SURROGATES)
    return next(iter(ormsgpack.unpackb(packed, option=option)))
