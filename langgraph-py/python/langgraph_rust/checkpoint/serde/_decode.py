"""Decoding of extension records, behind an allowlist.

What cannot or may not be rebuilt comes back as the plain data it was stored with, as upstream's
serializer has it in drop-in mode; or it is an error (`_strict`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from langgraph_rust._engine import _Decoder
from langgraph_rust.checkpoint.serde import _known, _msgpack, _strict
from langgraph_rust.checkpoint.serde._names import resolve, stored_module
from langgraph_rust.checkpoint.serde._records import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_DELTA_SNAPSHOT,
    EXT_METHOD_SINGLE_ARG,
    EXT_NUMPY_ARRAY,
    EXT_PYDANTIC_V1,
    EXT_PYDANTIC_V2,
)
from langgraph_rust.checkpoint.serde.event_hooks import emit_serde_event
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

ExtHook = Callable[[int, bytes], Any]
Allowlist = set[tuple[str, ...]] | Literal[True] | None

_Key = tuple[str, str]

# A type is warned about once. The cap bounds memory when types are generated dynamically; two
# threads may both warn, which does no harm.
_MAX_WARNED_TYPES = 1000
_warned_unregistered_types: set[_Key] = set()
_warned_blocked_types: set[_Key] = set()
_warned_unreconstructable_types: set[_Key] = set()


def log_warning(message: str, *args: object) -> None:
    """Log under the name that upstream documents for the serializer."""
    import logging

    logging.getLogger("langgraph.checkpoint.serde.jsonplus").warning(message, *args)


def make_decoder(allowlist: Allowlist, *, is_strict: bool = False) -> _Decoder:
    """Return a decoder that rebuilds what `allowlist` permits.

    Args:
        allowlist: `(module, name)` pairs permitted beside `SAFE_MSGPACK_TYPES`, `True` to permit
            everything with a warning for each unlisted type, `None` to permit nothing else.
        is_strict: Whether what is not rebuilt is an error; the types of this process's graphs are
            then permitted, too.
    """
    if is_strict:
        return _make_strict(allowlist)

    def rebuild(code: int, record: Any, error: Exception | None = None) -> Any:
        if code in _BUILDERS:
            return _rebuild(code, record, allowlist, error)
        if code == EXT_DELTA_SNAPSHOT:
            # What is broken within is nobody's to make up for.
            if error is not None:
                raise error
            return _DeltaSnapshot(record)
        if code == EXT_NUMPY_ARRAY:
            return _array(record)
        return None

    def permits(module: str, name: str) -> bool:
        return _is_listed((stored_module(module), name), allowlist)

    return _Decoder(rebuild, permits)


def _is_listed(key: _Key, allowlist: Allowlist) -> bool:
    """Whether a class may be built without a word being said about it."""
    listed = allowlist is not True and allowlist is not None and key in allowlist
    return listed or key in _msgpack.SAFE_MSGPACK_TYPES


def _make_strict(allowlist: Allowlist) -> _Decoder:
    def permits(module: str, name: str) -> bool:
        key = (stored_module(module), name)
        return _is_listed(key, allowlist) or _known.is_known(key)

    def permits_if_told(module: str, name: str) -> bool:
        return permits(module, name) or (allowlist is True and _may_build(module, name, True))

    def rebuild(code: int, record: Any, error: Exception | None = None) -> Any:
        return _strict.rebuild(code, record, permits_if_told, error)

    return _Decoder(rebuild, permits)


def make_ext_hook(allowlist: Allowlist) -> ExtHook:
    """Return a hook for `ormsgpack.unpackb` that rebuilds what `allowlist` permits."""
    return make_decoder(allowlist).record


def _msgpack_ext_hook_to_json(code: int, data: bytes) -> Any:
    """Decode an extension record to plain data: the stored arguments, without calling anything.

    UUIDs become strings with dashes, arrays become lists, and `Send` packets are rebuilt.
    """
    try:
        if code in _BUILDERS:
            module, name, argument = _unpack_to_json(data)[:3]
            if code == EXT_CONSTRUCTOR_SINGLE_ARG and (module, name) == ("uuid", "UUID"):
                return "-".join(argument[a:b] for a, b in _UUID_GROUPS)
            if code == EXT_CONSTRUCTOR_POS_ARGS and (module, name) == _SEND:
                return _build_send(argument)
            return argument
        if code == EXT_NUMPY_ARRAY:
            array = _array(_unpack_to_json(data))
            return None if array is None else array.tolist()
    except Exception:
        return None
    return None


_UUID_GROUPS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, None))


def _unpack_to_json(data: bytes) -> Any:
    return _TO_JSON.decode(data, _msgpack_ext_hook_to_json)


# Everything is left to the hook.
_TO_JSON = _Decoder(lambda *_: None, lambda *_: False)


# --- rebuilding ---


def _build_pydantic(cls: Any, values: dict[str, Any], unchecked: str) -> Any:
    try:
        return cls(**values)
    except Exception:
        # The class may have changed since; a value that no longer validates is still wanted.
        return getattr(cls, unchecked)(**values)


def _build_send(arguments: list[Any]) -> Any:
    send = resolve(*_SEND)
    if len(arguments) == 2:
        return send(*arguments)
    return send(arguments[0], arguments[1], timeout=arguments[2])


_SEND = ("langgraph.types", "Send")

_BUILDERS: dict[int, Callable[[Any, list[Any]], Any]] = {
    EXT_CONSTRUCTOR_SINGLE_ARG: lambda target, record: target(record[2]),
    EXT_CONSTRUCTOR_POS_ARGS: lambda target, record: target(*record[2]),
    EXT_CONSTRUCTOR_KW_ARGS: lambda target, record: target(**record[2]),
    EXT_METHOD_SINGLE_ARG: lambda target, record: getattr(target, record[3])(record[2]),
    EXT_PYDANTIC_V1: lambda target, record: _build_pydantic(target, record[2], "construct"),
    EXT_PYDANTIC_V2: lambda target, record: _build_pydantic(target, record[2], "model_construct"),
}
"""How to call what the first two entries of a record refer to."""


def _rebuild(code: int, record: Any, allowlist: Allowlist, error: Exception | None) -> Any:
    if error is not None:
        return _payload(code, record, error)
    try:
        module, name = record[0], record[1]
        if code == EXT_METHOD_SINGLE_ARG:
            permitted = _may_call(module, name, record[3])
        else:
            permitted = _may_build(module, name, allowlist)
        if not permitted:
            return record[2]
        if code == EXT_CONSTRUCTOR_POS_ARGS and (module, name) == _SEND:
            return _build_send(record[2])
        return _BUILDERS[code](resolve(module, name), record)
    except Exception as exc:
        return _payload(code, record, exc)


def _payload(code: int, record: Any, exc: Exception) -> Any:
    try:
        module, name, payload = record[0], record[1], record[2]
    except Exception:
        return None
    if code not in (EXT_PYDANTIC_V1, EXT_PYDANTIC_V2):
        _warn_once(
            _warned_unreconstructable_types,
            (str(module), str(name)),
            "Could not reconstruct %s.%s from checkpoint (%s); "
            "returning its serialized data instead.",
            module,
            name,
            type(exc).__name__,
        )
    return payload


def _array(record: Any) -> Any:
    try:
        import numpy  # pyright: ignore[reportMissingImports] - optional

        dtype, shape, order, buffer = record
        return numpy.frombuffer(buffer, dtype=numpy.dtype(dtype)).reshape(shape, order=order)
    except Exception:
        return None


# --- permission ---


def _may_build(module: str, name: str, allowlist: Allowlist) -> bool:
    key = (stored_module(module), name)
    if key in _msgpack.SAFE_MSGPACK_TYPES:
        return True
    if allowlist is True:
        emit_serde_event({"kind": "msgpack_unregistered_allowed", "module": module, "name": name})
        _warn_once(
            _warned_unregistered_types,
            key,
            "Deserializing unregistered type %s.%s from checkpoint. "
            "This will be blocked in a future version. "
            "Set LANGGRAPH_STRICT_MSGPACK=true to block now, or add "
            "to allowed_msgpack_modules to allow explicitly: [(%r, %r)]",
            *(module, name) * 2,
        )
        return True
    if allowlist is not None and key in allowlist:
        return True
    emit_serde_event({"kind": "msgpack_blocked", "module": module, "name": name})
    _warn_once(
        _warned_blocked_types,
        key,
        "Blocked deserialization of %s.%s - not in allowed_msgpack_modules. "
        "Add to allowed_msgpack_modules to allow: [(%r, %r)]",
        *(module, name) * 2,
    )
    return False


def _may_call(module: str, name: str, method: str) -> bool:
    if (module, name, method) in _msgpack.SAFE_MSGPACK_METHODS:
        return True
    emit_serde_event(
        {"kind": "msgpack_method_blocked", "module": module, "name": name, "method": method}
    )
    log_warning(
        "Blocked deserialization of method call %s.%s.%s - not in allowed methods set.",
        module,
        name,
        method,
    )
    return False


def _warn_once(seen: set[_Key], key: _Key, message: str, *args: object) -> None:
    if key not in seen and len(seen) < _MAX_WARNED_TYPES:
        seen.add(key)
        log_warning(message, *args)
