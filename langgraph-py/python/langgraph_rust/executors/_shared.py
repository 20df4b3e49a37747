"""Whether a function shares anything with the rest of its program that can change.

Such a function can be sent to another process, but would change a copy there. Who asks for that
node by node knows; a default for all nodes must not change what a program does.
"""

from __future__ import annotations

import dis
import inspect
import re
from collections.abc import Iterator
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any
from uuid import UUID

from langgraph_rust.executors._tasks import is_task

_CONSTANT = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    date,
    time,
    timedelta,
    tzinfo,
    Decimal,
    Enum,
    Fraction,
    PurePath,
    UUID,
    re.Pattern,
    ModuleType,
    BuiltinFunctionType,
)
_HARMLESS = ("typing", "typing_extensions", "types")
_ASSIGNS = ("STORE_GLOBAL", "DELETE_GLOBAL")


def shares_state(function: Any) -> bool:
    """Tell whether `function` reads or writes what can change without it, as far as can be seen.

    What it reaches through modules and classes is not looked at, nor functions of other modules.
    """
    return _shares(function, set())


def _shares(value: Any, seen: set[int]) -> bool:
    if isinstance(value, _CONSTANT) or id(value) in seen:
        return False
    seen.add(id(value))
    if isinstance(value, (tuple, frozenset)):
        return any(_shares(item, seen) for item in value)
    if isinstance(value, type):
        # One that was made within a function may hold what that has.
        return "<locals>" in value.__qualname__
    if isinstance(value, partial):
        parts = (value.func, *value.args, *value.keywords.values())
        return any(_shares(part, seen) for part in parts)
    if not isinstance(value, FunctionType):
        return _is_special(value)
    return _assigns(value.__code__) or any(_shares(used, seen) for used in _used(value))


def _is_special(value: Any) -> bool:
    """Annotations of types and the like change no more than types do; tasks run at home."""
    return not is_task(value) and type(value).__module__ not in _HARMLESS


def _used(function: FunctionType) -> Iterator[Any]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    try:
        used = inspect.getclosurevars(function)
    except ValueError:
        # A variable around it has no value yet, and will have.
        yield object()
        return
    yield from used.nonlocals.values()
    for value in used.globals.values():
        if not (isinstance(value, FunctionType) and value.__module__ != function.__module__):
            yield value


def _assigns(code: CodeType) -> bool:
    """Whether it, or a function in it, assigns to variables around it."""
    for step in dis.get_instructions(code):
        if step.opname in _ASSIGNS:
            return True
        if step.opname in ("STORE_DEREF", "DELETE_DEREF") and step.argval in code.co_freevars:
            return True
    return any(_assigns(inner) for inner in code.co_consts if isinstance(inner, CodeType))
