"""Encoding of values that msgpack has no type for, as extension records.

Each record holds, packed again, the reference of a callable and its argument. Which record a value
gets is decided by what it looks like, in a fixed order that is part of the format: the first match
in `_choose` wins.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import ormsgpack

from langgraph_rust.checkpoint.serde._names import stored_module
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

EXT_CONSTRUCTOR_SINGLE_ARG = 0
EXT_CONSTRUCTOR_POS_ARGS = 1
EXT_CONSTRUCTOR_KW_ARGS = 2
EXT_METHOD_SINGLE_ARG = 3
EXT_PYDANTIC_V1 = 4
EXT_PYDANTIC_V2 = 5
EXT_NUMPY_ARRAY = 6
EXT_DELTA_SNAPSHOT = 7

PACK_OPTIONS = (
    ormsgpack.OPT_NON_STR_KEYS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_REPLACE_SURROGATES
)

_Encoder = Callable[[Any], Any]

_packb = ormsgpack.packb
_Ext = ormsgpack.Ext


def _msgpack_enc(value: Any) -> bytes:
    """Return `value` as msgpack; raises `ormsgpack.MsgpackEncodeError` if some part cannot be."""
    return _packb(value, _msgpack_default, PACK_OPTIONS)


def _msgpack_default(obj: Any) -> Any:
    """Return what stands for `obj`, a value msgpack has no type for.

    Raises:
        TypeError: nothing is known about values of this kind.
    """
    return (_exact.get(type(obj)) or _choose(obj))(obj)


def _record(code: int, obj: Any, argument: Any, *method: str) -> ormsgpack.Ext:
    cls = obj.__class__
    return _Ext(
        code, _msgpack_enc((stored_module(cls.__module__), cls.__name__, argument, *method))
    )


# --- the records, one encoder each ---


def _delta_snapshot(obj: Any) -> ormsgpack.Ext:
    return _Ext(EXT_DELTA_SNAPSHOT, _msgpack_enc(obj.value))


def _pydantic_v2(obj: Any) -> ormsgpack.Ext:
    # The method's name is not used for decoding, but it is part of the stored bytes.
    return _record(EXT_PYDANTIC_V2, obj, obj.model_dump(), "model_validate_json")


def _secret(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.get_secret_value())


def _pydantic_v1(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_PYDANTIC_V1, obj, obj.dict())


def _named_tuple(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, obj._asdict())


def _path(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, obj.parts)


def _pattern(obj: Any) -> ormsgpack.Ext:
    arguments = (obj.pattern, obj.flags)
    return _Ext(EXT_CONSTRUCTOR_POS_ARGS, _msgpack_enc(("re", "compile", arguments)))


def _uuid(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.hex)


def _text(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, str(obj))


def _collection(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, tuple(obj))


def _datetime(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_METHOD_SINGLE_ARG, obj, obj.isoformat(), "fromisoformat")


def _timedelta(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, (obj.days, obj.seconds, obj.microseconds))


def _date(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, (obj.year, obj.month, obj.day))


def _time(obj: Any) -> ormsgpack.Ext:
    parts = ("hour", "minute", "second", "microsecond", "tzinfo", "fold")
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, {part: getattr(obj, part) for part in parts})


def _timezone(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, obj.__getinitargs__())


def _zone_info(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.key)


def _enum(obj: Any) -> ormsgpack.Ext:
    return _record(EXT_CONSTRUCTOR_SINGLE_ARG, obj, obj.value)


def _send(obj: Any) -> ormsgpack.Ext:
    timeout = getattr(obj, "timeout", None)
    # Two arguments unless a third is needed, so that older readers understand the common case.
    arguments = (obj.node, obj.arg) if timeout is None else (obj.node, obj.arg, timeout)
    return _record(EXT_CONSTRUCTOR_POS_ARGS, obj, arguments)


def _dataclass(obj: Any) -> ormsgpack.Ext:
    # Not asdict(): nested values must keep their types.
    values = {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}
    return _record(EXT_CONSTRUCTOR_KW_ARGS, obj, values)


def _array(obj: Any) -> ormsgpack.Ext:
    if obj.flags.c_contiguous:
        order, buffer = "C", memoryview(obj)
    else:
        order = "F" if obj.flags.f_contiguous else "C"
        buffer = obj.tobytes(order="A")
    return _Ext(EXT_NUMPY_ARRAY, _msgpack_enc((obj.dtype.str, obj.shape, order, buffer)))


def _refuse(obj: Any) -> Any:
    raise TypeError(f"Object of type {obj.__class__.__name__} is not serializable")


# --- the choice ---

_BY_METHOD: tuple[tuple[str, _Encoder], ...] = (
    ("model_dump", _pydantic_v2),
    ("get_secret_value", _secret),
    ("dict", _pydantic_v1),
    ("_asdict", _named_tuple),
)

# By name, so that no module need be imported to tell that a value is none of its types.
_BY_TYPE: dict[tuple[str, str], _Encoder] = {
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

_exact: dict[type, _Encoder] = {_DeltaSnapshot: _delta_snapshot}
"""Types of the table above, as they are met: their own instances cannot look like anything else."""


def _choose(obj: Any) -> _Encoder:
    if isinstance(obj, _DeltaSnapshot):
        return _delta_snapshot
    for method, encoder in _BY_METHOD:
        if callable(getattr(obj, method, None)):
            return encoder
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
    return repr if isinstance(obj, BaseException) else _refuse


def _is_send(obj: Any) -> bool:
    # What isinstance(obj, SendProtocol) says, at a tenth of the price. An eq dataclass that is not
    # frozen has no hash, and so is no packet even with these two fields.
    return hasattr(obj, "node") and hasattr(obj, "arg") and obj.__hash__ is not None
