"""Decoding one input, and what is wrong with how it went.

An input must give a value, `MsgpackDecodeError` or `StoredValueError`, within memory that it
warrants, without an import and without an instance of a type that nobody allowed: strictly, as
under the own name, and as in drop-in mode. Read strictly, it must not give another value than in
drop-in mode.
"""

from __future__ import annotations

import builtins
import contextlib
import logging
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import ormsgpack

from langgraph_rust.checkpoint.serde import jsonplus
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from tests.fuzz.inputs import Color, Model, Pair, Plain

MEMORY = 256 << 20
"""Bytes that a process may need beyond what it has when it begins."""

SLOW = 1.0
"""Seconds of processor time after which decoding a few hundred bytes counts as hanging."""

UNLISTED = (Model, Plain, Pair, Color)


def limit_memory(limit: int = MEMORY) -> None:
    """Have this process fail when it needs so many bytes more than now."""
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + limit, now + limit))


class Decoder:
    """Decodes inputs in both ways, and counts.

    For a process of its own: nothing else in it may become permissive by this.
    """

    def __init__(self) -> None:
        logging.disable(logging.CRITICAL)
        self.values = self.errors = 0
        strict = JsonPlusSerializer(allowed_msgpack_modules=None)
        jsonplus.is_strict = lambda: False
        self._serdes = strict, JsonPlusSerializer(allowed_msgpack_modules=None)
        # A fuzzer that finds an input slow, maybe because the machine slept, says where it is.
        import faulthandler  # noqa: F401

        with contextlib.suppress(ImportError):
            # Its arrays may be read; what it loads itself is its own affair.
            import numpy  # noqa: F401
        self._imported = _watch_imports()

    def faults(self, data: bytes) -> Iterator[str]:
        """Say what is wrong with how `data` is decoded."""
        results: list[str] = []
        for serde in self._serdes:
            self._imported.clear()
            began = time.process_time()
            value = None
            try:
                value = serde.loads_typed(("msgpack", data))
                self.values += 1
                results.append(repr(value))
            # A `StoredValueError` is one, too.
            except ormsgpack.MsgpackDecodeError as error:
                self.errors += 1
                results.append("")
                str(error)
            except BaseException as error:
                yield f"raises {error!r}"
                return
            if time.process_time() - began > SLOW:
                yield "takes long"
            if self._imported or _has_unlisted(value):
                yield f"imports {self._imported} or builds what nobody allowed"
        if results[0] not in ("", results[1]):
            yield f"is read as {results[0]} and {results[1]}"


def _watch_imports() -> list[str]:
    """The names of modules that are loaded from now on."""
    loaded: list[str] = []
    before = builtins.__import__

    def watched(name: str, *arguments: Any, **named: Any) -> Any:
        known = len(sys.modules)
        module = before(name, *arguments, **named)
        if len(sys.modules) > known and not name.startswith(("langgraph_rust", "numpy")):
            loaded.append(name)
        return module

    builtins.__import__ = watched
    return loaded


def _has_unlisted(value: Any, depth: int = 0) -> bool:
    if isinstance(value, UNLISTED):
        return True
    if depth > 20:
        return False
    if isinstance(value, dict):
        return any(_has_unlisted(item, depth + 1) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(_has_unlisted(item, depth + 1) for item in value)
    return False
