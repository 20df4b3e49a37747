"""The default serializer: msgpack with extension records for Python types."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import lru_cache
from inspect import isclass
from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust._engine import _encode_typed
from langgraph_rust.checkpoint.serde import _msgpack, _old_json
from langgraph_rust.checkpoint.serde._decode import (  # noqa: F401 - some are only re-exported
    Allowlist,
    _msgpack_ext_hook_to_json,
    _warned_blocked_types,
    _warned_unreconstructable_types,
    _warned_unregistered_types,
    log_warning,
    make_decoder,
    make_ext_hook,
)
from langgraph_rust.checkpoint.serde._default import is_strict
from langgraph_rust.checkpoint.serde._names import resolve, stored_key, stored_module
from langgraph_rust.checkpoint.serde._places import locate
from langgraph_rust.checkpoint.serde._records import (  # noqa: F401 - some are only re-exported
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_DELTA_SNAPSHOT,
    EXT_METHOD_SINGLE_ARG,
    EXT_NUMPY_ARRAY,
    EXT_PYDANTIC_V1,
    EXT_PYDANTIC_V2,
    _msgpack_default,
    _msgpack_enc,
    describe,
    describe_strictly,
)
from langgraph_rust.checkpoint.serde.base import SerializerProtocol
from langgraph_rust.checkpoint.serde.errors import (
    EncryptedValueError,
    StoredValueError,
    TypeNotAllowedError,
)
from langgraph_rust.checkpoint.serde.event_hooks import emit_serde_event

if TYPE_CHECKING:
    from langgraph_rust.checkpoint.serde._msgpack import AllowedMsgpackModules

EMPTY_BYTES = b""
"""What is stored of `None`, whose kind is `null`: nothing."""

_msgpack_ext_hook = make_ext_hook(None)


class InvalidModuleError(Exception):
    """A JSON constructor record names a symbol that the allowlist does not contain.

    `message` says which symbol, and how to allow it.
    """

    def __init__(self, message: str) -> None:
        self.message = message


class JsonPlusSerializer(SerializerProtocol):
    """Encodes checkpoint values as tagged msgpack, and reads the JSON of older versions.

    Tags are `"null"`, `"bytes"`, `"bytearray"`, `"msgpack"`, and `"pickle"` if the fallback is on;
    `"json"` is only read. Beyond msgpack's own types it carries pydantic models, dataclasses, named
    tuples, enums, sets, dates, UUIDs, paths, patterns, IP addresses, decimals, numpy arrays and
    the engine's own types. Exceptions are written as their `repr`.

    Stored values name the types that they are made of, and decoding calls those. So only types are
    built that are harmless, in the schemas of graphs of this process, or allowed; anything else is
    an error, and so is what cannot be rebuilt. In drop-in mode it is as with upstream's serializer,
    unless that is strict (`langgraph_rust.install`): by default all types are built, with a
    warning, so that whoever can write to the database can run code; and what is refused or cannot
    be rebuilt comes back as plain data.

    Args:
        pickle_fallback: Pickle what msgpack cannot encode, and accept the `"pickle"` tag.
        allowed_json_modules: Symbols that old JSON records may construct, each as the pieces of its
            dotted path; `True` permits all. Safe types need no entry.
        allowed_msgpack_modules: Types that may be rebuilt, as `(module, name)` pairs or classes;
            `True` permits all with a warning for each unlisted one, `None` no others. Left out, it
            is `None`; in drop-in mode that is not strict `True`, unless
            `LANGGRAPH_STRICT_MSGPACK` is set.
        __unpack_ext_hook__: Decodes extension records in place of the built-in hook; takes the code
            and the packed body.
    """

    def __init__(
        self,
        *,
        pickle_fallback: bool = False,
        allowed_json_modules: Iterable[tuple[str, ...]] | Literal[True] | None = None,
        allowed_msgpack_modules: (
            AllowedMsgpackModules | Literal[True] | None
        ) = _msgpack._SENTINEL,
        __unpack_ext_hook__: Callable[[int, bytes], Any] | None = None,
    ) -> None:
        self._is_strict = is_strict()
        if allowed_msgpack_modules is _msgpack._SENTINEL:
            is_closed = self._is_strict or _msgpack.STRICT_MSGPACK_ENABLED
            allowed_msgpack_modules = None if is_closed else True
        self.pickle_fallback = pickle_fallback
        self._allowed_json_modules = _normalize(allowed_json_modules)
        self._allowed_msgpack_modules: Allowlist = _normalize(allowed_msgpack_modules)
        self._custom_unpack_ext_hook = __unpack_ext_hook__ is not None
        if __unpack_ext_hook__ is not None:
            self._unpack_ext_hook = __unpack_ext_hook__
        self._set_decoder()

    def with_msgpack_allowlist(
        self, extra_allowlist: Iterable[tuple[str, ...] | type]
    ) -> JsonPlusSerializer:
        """Return a serializer that may also rebuild the given types.

        Returns this very object when that changes nothing. A custom extension hook is kept.
        """
        if self._allowed_msgpack_modules is True:
            return self
        current = self._allowed_msgpack_modules or set()
        merged = current | _normalize_entries(extra_allowlist)
        if merged == current:
            return self
        clone = copy.copy(self)
        clone._allowed_msgpack_modules = merged
        clone._set_decoder()
        return clone

    def _set_decoder(self) -> None:
        self._decoder = make_decoder(self._allowed_msgpack_modules, is_strict=self._is_strict)
        if not self._custom_unpack_ext_hook:
            self._unpack_ext_hook = self._decoder.record

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled: all but the decoder, which follows from it."""
        made = {"_decoder"} if self._custom_unpack_ext_hook else {"_decoder", "_unpack_ext_hook"}
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._set_decoder()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode `obj` as `(tag, bytes)`.

        Raises:
            ormsgpack.MsgpackEncodeError: some part cannot be encoded, and pickling is off.
        """
        try:
            return _encode_typed(obj, describe_strictly if self._is_strict else describe)
        # What `ormsgpack.MsgpackEncodeError` is.
        except TypeError:
            if not self.pickle_fallback:
                raise
            import pickle

            return "pickle", pickle.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode a `(tag, bytes)` pair.

        Raises:
            NotImplementedError: the tag is unknown, or is `"pickle"` without `pickle_fallback`; if
                it names a cipher, an `EncryptedValueError` but for drop-in mode.
            StoredValueError: some part cannot be rebuilt as what it was, or
                (`TypeNotAllowedError`) may not be. Not in drop-in mode, unless that is strict.
            ormsgpack.MsgpackDecodeError: the bytes are no value.
        """
        tag, body = data
        if tag == "msgpack":
            if self._custom_unpack_ext_hook:
                return self._decoder.decode(body, self._unpack_ext_hook)
            try:
                return self._decoder.decode(body)
            # What `ormsgpack.MsgpackDecodeError` is.
            except ValueError as error:
                cause = error.__cause__
                if not isinstance(cause, StoredValueError):
                    raise
                cause.path = locate(self._decoder, body, cause)
                if isinstance(cause, TypeNotAllowedError) and cause.event is not None:
                    emit_serde_event(cause.event)
                raise cause from cause.__cause__
        if tag == "null":
            return None
        if tag == "bytes":
            return body
        if tag == "bytearray":
            return bytearray(body)
        if tag == "json":
            import json

            if self._is_strict:
                return _old_json.revive(json.loads(body), self._revive_strictly)
            return json.loads(body, object_hook=self._reviver)
        if tag == "pickle" and self.pickle_fallback:
            import pickle

            return pickle.loads(body)
        text = f"Unknown serialization type: {tag}"
        cipher = tag.partition("+")[2]
        if cipher and self._is_strict:
            raise EncryptedValueError(
                f"{text}. The value is encrypted ({cipher}): give the saver or cache "
                "serde=EncryptedSerializer(...) of langgraph_rust.checkpoint.serde.encrypted, for "
                "aes from EncryptedSerializer.from_pycryptodome_aes(key=...), with the key that "
                "it was stored with"
            )
        raise NotImplementedError(text)

    # --- the JSON of older versions ---

    def _reviver(self, value: dict[str, Any]) -> Any:
        version = value.get("lc")
        if version == 1:
            return _langchain_reviver()(value)
        if version == 2 and value.get("type") == "constructor" and value.get("id") is not None:
            safe = _is_safe_json_type(value["id"])
            if safe or self._allowed_json_modules:
                try:
                    return self._revive_lc2(value)
                except InvalidModuleError as exc:
                    log_warning(
                        "Object %s is not in the deserialization allowlist.\n%s",
                        value["id"],
                        exc.message,
                    )
        return value

    def _revive_strictly(self, value: dict[str, Any]) -> Any:
        version = value.get("lc")
        if version == 1:
            try:
                return _langchain_reviver()(value)
            except Exception as exc:
                named = ".".join(map(str, value.get("id") or ()))
                text = f"{named} cannot be rebuilt ({type(exc).__name__}: {exc})"
                raise StoredValueError(text) from exc
        if version == 2 and value.get("type") == "constructor" and value.get("id") is not None:
            if not _old_json.is_of_a_graph(value["id"]):
                try:
                    self._check_allowed_json_modules(value)
                except InvalidModuleError as exc:
                    module, name = ".".join(value["id"][:-1]), value["id"][-1]
                    raise TypeNotAllowedError(exc.message, module, name) from None
            return _old_json.construct(value)
        return value

    def _revive_lc2(self, value: dict[str, Any]) -> Any:
        self._check_allowed_json_modules(value)
        # A "method" entry is never acted on: names in the data must not choose what is called.
        module, name = ".".join(value["id"][:-1]), value["id"][-1]
        try:
            cls = resolve(module, name)
            if isclass(cls) and issubclass(cls, BaseException):
                return None
            return cls(*(value.get("args") or ()), **(value.get("kwargs") or {}))
        except Exception as exc:
            log_warning(
                "Failed to revive lc:2 envelope %s "
                "(legacy_method_field=%s, error=%s); returning None",
                f"{module}.{name}",
                "method" in value,
                type(exc).__name__,
            )
            return None

    def _check_allowed_json_modules(self, value: dict[str, Any]) -> None:
        symbol = tuple(value["id"])
        allowed = self._allowed_json_modules
        if allowed is True or _is_safe_json_type(symbol):
            return
        dotted = ".".join(symbol)
        if not allowed:
            raise InvalidModuleError(
                f"Refused to deserialize JSON constructor: {dotted}. "
                "No allowed_json_modules configured.\n\n"
                "Unblock with ONE of:\n"
                f"  • JsonPlusSerializer(allowed_json_modules=[{symbol!r}, ...])\n"
                "  • (DANGEROUS) JsonPlusSerializer(allowed_json_modules=True)\n\n"
                "Note: Prefix allowlists are intentionally unsupported; prefer exact symbols "
                "or plain-JSON representations revived without import-time side effects."
            )
        if stored_key(symbol) not in allowed:
            raise InvalidModuleError(
                f"Refused to deserialize JSON constructor: {dotted}. "
                "Symbol is not in the deserialization allowlist.\n\n"
                "Add exactly this symbol to unblock:\n"
                f"  JsonPlusSerializer(allowed_json_modules=[{symbol!r}, ...])\n"
                "Or, as a last resort (DANGEROUS):\n"
                "  JsonPlusSerializer(allowed_json_modules=True)"
            )


def _is_safe_json_type(symbol: Iterable[str]) -> bool:
    symbol = stored_key(symbol)
    if len(symbol) < 2:
        return False
    *module, name = symbol
    return (".".join(module), name) in _msgpack.SAFE_MSGPACK_TYPES


def _normalize(allowlist: AllowedMsgpackModules | Literal[True] | None) -> Allowlist:
    if allowlist is True:
        return True
    return _normalize_entries(allowlist) if allowlist else None


def _normalize_entries(entries: AllowedMsgpackModules) -> set[tuple[str, ...]]:
    return {
        (stored_module(entry.__module__), entry.__name__)
        if isinstance(entry, type)
        else stored_key(entry)
        for entry in entries
    }


@lru_cache(maxsize=1)
def _langchain_reviver() -> Callable[[dict[str, Any]], Any]:
    from langchain_core.load.load import Reviver

    return Reviver(allowed_objects="core")


def __getattr__(name: str) -> Any:
    # Kept out of the import, which must not load langchain-core.
    if name == "LC_REVIVER":
        return _langchain_reviver()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
