"""``python -m tests.fuzz --inputs 0:10000000``: decode broken bytes, closed to unlisted types.

An input must give a value, `MsgpackDecodeError` or `StoredValueError`, within memory that it
warrants, without an import and without an instance of a type that nobody allowed: strictly, as
under the own name, and as in drop-in mode. Read strictly, it must not give another value than in
drop-in mode. A process that dies names its input. Exits with 1 if something of that does not hold.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import faulthandler
import logging
import mmap
import os
import resource
import struct
import sys
import time
from collections import Counter
from typing import Any

import ormsgpack

from langgraph_rust.checkpoint.serde import jsonplus
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from tests.fuzz.inputs import Color, Model, Pair, Plain, broken
from tests.seeds import seed_range

MEMORY = 256 << 20
"""Bytes that a process may need beyond what it has when it begins."""

SLOW = 1.0
"""Seconds after which decoding a few hundred bytes counts as hanging."""

UNLISTED = (Model, Plain, Pair, Color)


def main() -> int:
    """Decode what the command line asks for; returns the process's exit status."""
    options = _parse()
    began = time.monotonic()
    parts = [options.inputs[index :: options.jobs] for index in range(options.jobs)]
    processes = [_begin(part) for part in parts]
    wrong, counts = 0, Counter[str]()
    for process, shared in processes:
        _, status = os.waitpid(process, 0)
        last, values, errors, faults = struct.unpack("4q", shared[:32])
        counts.update(values=values, errors=errors)
        wrong += faults
        if status:
            wrong += 1
            print(f"fuzz: the process that decoded input {last} ended with status {status}")
    took = time.monotonic() - began
    print(
        f"fuzz: {len(options.inputs)} inputs in {took:.0f} s ({counts['values']} gave values, "
        f"{counts['errors']} errors), {wrong} wrong"
    )
    return 1 if wrong else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs", type=seed_range, default="0:200000", help="FIRST:END (default: 0:200000)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    return parser.parse_args()


def _begin(inputs: range) -> tuple[int, mmap.mmap]:
    """Decode in a process of its own; how far it is and what came of it is in the memory."""
    shared = mmap.mmap(-1, 32)
    process = os.fork()
    if process:
        return process, shared
    status = 1
    try:
        _decode_all(inputs, shared)
        status = 0
    finally:
        os._exit(status)


def _decode_all(inputs: range, shared: mmap.mmap) -> None:
    faulthandler.enable()
    logging.disable(logging.CRITICAL)
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    # In a process of its own: nothing else in it may become permissive by this.
    jsonplus.is_strict = lambda: False
    permissive = JsonPlusSerializer(allowed_msgpack_modules=None)
    with contextlib.suppress(ImportError):
        # Its arrays may be read; what it loads itself is its own affair.
        import numpy  # noqa: F401
    imported = _watch_imports()
    values = errors = faults = 0
    for seed in inputs:
        shared[:32] = struct.pack("4q", seed, values, errors, faults)
        data = "msgpack", broken(seed)
        results: list[str] = []
        for serde in (strict, permissive):
            began = time.perf_counter()
            value = None
            try:
                value = serde.loads_typed(data)
                values += 1
                results.append(repr(value))
            # A `StoredValueError` is one, too.
            except ormsgpack.MsgpackDecodeError as error:
                errors += 1
                results.append("")
                str(error)
            except BaseException as error:
                print(f"fuzz: input {seed} raises {error!r}", flush=True)
                faults += 1
                break
            if time.perf_counter() - began > SLOW:
                print(f"fuzz: input {seed} takes long", flush=True)
                faults += 1
            if imported or _has_unlisted(value):
                print(f"fuzz: input {seed} imports {imported} or builds what nobody allowed")
                imported.clear()
                faults += 1
        if len(results) == 2 and results[0] not in ("", results[1]):
            print(f"fuzz: input {seed} is read as {results[0]} and {results[1]}", flush=True)
            faults += 1
    shared[:32] = struct.pack("4q", 0, values, errors, faults)


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


if __name__ == "__main__":
    sys.exit(main())
