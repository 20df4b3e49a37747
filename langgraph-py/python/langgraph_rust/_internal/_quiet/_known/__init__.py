"""Which functions of langchain-core this room stands for: those whose text it was written after.

A quick call leaves out what some functions of langchain-core do, or does it in another way. That is
right as long as they are the functions of the table below. Whatever else stands in their place,
because a package replaced it or another release says it differently, makes calls ordinary.

Texts are compared, by their hashes, not compiled code, which differs between versions of Python.
A file of langchain-core is read the first time that one of its functions is asked about.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType, MethodType
from typing import Any

from langgraph_rust._internal._quiet._known.fingerprints import FINGERPRINTS
from langgraph_rust._internal._quiet._known.memo import Memo

__all__ = ("fingerprint", "is_known", "original", "stand_in")

_originals: dict[FunctionType, FunctionType] = {}


def stand_in(function: FunctionType, for_: FunctionType) -> None:
    """Take `function`, which is one of this room's, for `for_`, in whose place it is put."""
    _originals[function] = for_


def original(value: Any) -> Any:
    """Return the plain function of a method, and what it was where this room put its own."""
    if type(value) in (classmethod, staticmethod, MethodType):
        value = value.__func__
    if type(value) is FunctionType:
        value = _originals.get(value, value)
    return value


def is_known(value: Any, *places: str) -> bool:
    """Tell whether `value` is the function that langchain-core has at one of these places.

    Args:
        value: A function, or whatever stands in its place; of a class method, the bound one, too.
        places: Such as `"tools.base:BaseTool.run"`, keys of the table.
    """
    function = original(value)
    # Functions that are made of text, as mocks are, have no module.
    if type(function) is not FunctionType or not isinstance(function.__module__, str):
        return False
    place = f"{function.__module__.removeprefix('langchain_core.')}:{function.__qualname__}"
    return place in places and _fingerprint(function) in FINGERPRINTS.get(place, ())


def fingerprint(function: FunctionType) -> str | None:
    """Return the hash of a function's text, or `None` if it is not the text that was compiled.

    Of a decorated one, the text of the wrapper counts, too.
    """
    path = "/".join(function.__module__.split(".")) + ".py"
    texts = []
    inner: Any = function
    while type(inner) is FunctionType:
        code = inner.__code__
        # Some packages replace the code and leave the function.
        if code.co_filename != _CONTEXTLIB:
            if not code.co_filename.replace("\\", "/").endswith(path):
                return None
            try:
                text = _block(_lines(code.co_filename), code)
            except (OSError, UnicodeDecodeError):
                return None
            if f"def {code.co_name}(" not in text:
                return None
            texts.append(text)
        inner = getattr(inner, "__wrapped__", None)
    whole = "\n".join(texts).encode()
    return hashlib.sha256(whole).hexdigest()[:16] if inner is None else None


_fingerprint: Memo[FunctionType, str | None] = Memo(fingerprint)

_HEADERS = ("def ", "async def ")
_CONTEXTLIB = contextmanager.__code__.co_filename


@cache
def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        return file.read().split("\n")


def _last_line(code: CodeType) -> int:
    within = (_last_line(const) for const in code.co_consts if isinstance(const, CodeType))
    own = (line for _, _, line in code.co_lines() if line is not None)
    return max((code.co_firstlineno, *own, *within))


def _block(lines: list[str], code: CodeType) -> str:
    """Return the text of a function: all that is indented further than its first line."""
    start = code.co_firstlineno - 1
    margin = len(lines[start]) - len(lines[start].lstrip())
    # Decorators come first, and may be all that a function without a body has.
    below = range(start, len(lines))
    header = next((n for n in below if lines[n].lstrip().startswith(_HEADERS)), start)
    end = max(_last_line(code), header + 1)
    while end < len(lines) and (not lines[end].strip() or lines[end][: margin + 1].isspace()):
        end += 1
    return "\n".join(lines[start:end]).rstrip()
