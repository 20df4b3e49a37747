"""Whether a function shares anything with the rest of its program that can change.

Such a function can be sent to another process, but would change a copy there. Who asks for that
node by node knows; a default for all nodes must not change what a program does.
"""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Iterator
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, GenericAlias, ModuleType, UnionType
from typing import Any
from uuid import UUID

from langgraph_rust.executors._travel.tasks import is_task

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
)
_ASSIGNS = ("STORE_GLOBAL", "DELETE_GLOBAL")
_CHANGES = ("STORE_ATTR", "DELETE_ATTR")
_REACHES = frozenset(
    ("globals", "vars", "locals", "setattr", "delattr", "exec", "eval", "__dict__")
)
"""Names by which a function can get at anything."""


def shares_state(function: Any) -> bool:
    """Tell whether `function` reads or writes what can change without it, as far as can be seen.

    What it reaches through modules and classes is not looked at, nor functions of other modules.
    """
    return _shares(function, set())


def _shares(value: Any, seen: set[int]) -> bool:
    if isinstance(value, BuiltinFunctionType):
        # A method of an object, or a function of a module.
        return not isinstance(value.__self__, (ModuleType, type(None)))
    if isinstance(value, _CONSTANT) or id(value) in seen or is_task(value):
        return False
    seen.add(id(value))
    if isinstance(value, (tuple, frozenset)):
        return any(_shares(item, seen) for item in value)
    if isinstance(value, type):
        return _is_changeable(value)
    if isinstance(value, partial):
        parts = (value.func, *value.args, *value.keywords.values())
        return any(_shares(part, seen) for part in parts)
    if isinstance(value, FunctionType):
        kept = {name for name in vars(value) if name != "__wrapped__"}
        return bool(kept) or _does_more(value) or any(_shares(used, seen) for used in _used(value))
    # Annotations of types change no more than types do.
    return type(value).__module__ not in ("typing", "typing_extensions") and not isinstance(
        value, (GenericAlias, UnionType)
    )


def _is_changeable(kind: type[Any]) -> bool:
    """Whether a class has, or its methods set, what all who use it see."""
    if "<locals>" in kind.__qualname__:
        # It may hold what the function has that it was made in.
        return True
    if kind.__flags__ & _IMMUTABLE or kind.__module__ in sys.stdlib_module_names:
        return False
    for name, value in vars(kind).items():
        if name.startswith("__"):
            continue
        if isinstance(value, (list, dict, set, bytearray)):
            return True
        if isinstance(value, (classmethod, staticmethod)) and _does_more(value.__func__):
            return True
    return False


_IMMUTABLE = 1 << 8
"""`Py_TPFLAGS_IMMUTABLETYPE`: classes that are written in C."""


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _used(function: FunctionType) -> Iterator[Any]:
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            # It has no value yet, and will have.
            yield object()
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if not (isinstance(value, FunctionType) and value.__module__ != function.__module__):
            yield value


def _does_more(function: Any) -> bool:
    """Whether it assigns to variables around it, or to attributes, or could do so unseen."""
    if not isinstance(function, FunctionType):
        return True
    for code in _codes(function.__code__):
        if not _REACHES.isdisjoint(code.co_names):
            return True
        for step in dis.get_instructions(code):
            if step.opname in _ASSIGNS or step.opname in _CHANGES:
                return True
            if step.opname in ("STORE_DEREF", "DELETE_DEREF") and (
                step.argval in function.__code__.co_freevars
            ):
                return True
    return False
