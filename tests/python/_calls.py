"""Quiet calls beside ordinary ones: what came of each, and what was seen while it went on."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.callbacks.manager import BaseRunManager
from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import var_child_runnable_config
from pydantic import BaseModel, ValidationError
from pydantic.v1 import ValidationError as OldValidationError

from langgraph_rust._internal import _quiet

Call = Callable[..., Any]

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
"""An id that is made anew."""

var: ContextVar[str] = ContextVar("var", default="unset")

seen: list[Any] = []
"""What a call under test notes."""


def note(*values: Any) -> None:
    """Note what is seen within a call: its arguments, the ambient config, a context variable.

    The variable is then set, and so must not be seen outside where there is a context.
    """
    seen.append([*map(plain, values), plain(var_child_runnable_config.get()), var.get()])
    var.set("set within")


def plain(value: Any) -> Any:
    """Return what counts of a value, in a form that can be compared."""
    if isinstance(value, (BaseRunManager, BaseCallbackManager)):
        kind = next(cls for cls in type(value).__mro__ if "langchain_core" in cls.__module__)
        handlers = [type(each) for each in (*value.handlers, None, *value.inheritable_handlers)]
        ids = value.parent_run_id, getattr(value, "run_id", None)
        inherited = value.inheritable_tags, value.inheritable_metadata
        return [kind, handlers, value.tags, plain(value.metadata), plain(inherited), plain(ids)]
    if isinstance(value, BaseException):
        return error_of(value)
    if isinstance(value, BaseMessage):
        fields = [*value.__dict__.items(), ("set", sorted(value.__pydantic_fields_set__))]
        return [type(value), plain([value.__pydantic_extra__, *fields])]
    if isinstance(value, BaseModel):
        return [type(value), plain(value.__dict__)]
    if isinstance(value, dict):
        return {"of": [(key, plain(item)) for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [type(value), *map(plain, value)]
    if type(value).__name__ == "UUID":
        return ["a UUID of version", value.version] if value.version == 7 else value
    if isinstance(value, str):
        return _ID.sub("<id>", value)
    return value


def outcome(call: Call) -> Any:
    """Return what comes of a call, what it noted, whether a variable leaked, and its warnings."""

    def run() -> list[Any]:
        seen.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = ["returned", plain(call())]
            except BaseException as error:
                result = ["raised", *error_of(error)]
        said = [(warning.category, str(warning.message)) for warning in caught]
        return [result, seen.copy(), var.get(), said]

    return copy_context().run(run)


def error_of(error: BaseException | None) -> list[Any]:
    """Return type, arguments, notes, cause and context of an error."""
    if error is None:
        return []
    is_invalid = isinstance(error, (ValidationError, OldValidationError))
    args = error.errors() if is_invalid else plain(error.args)
    notes = getattr(error, "__notes__", None)
    return [type(error), args, notes, error_of(error.__cause__), error_of(error.__context__),
            str(error)]  # fmt: skip


def is_quick(call: Call) -> tuple[Any, bool]:
    """Return what comes of a call, and whether it was quick."""
    before = sum(_quiet.quick().values())
    return call(), sum(_quiet.quick().values()) > before


def in_loop(function: Call) -> Call:
    """Make a sync function of an async one."""
    return lambda *args, **kwargs: asyncio.run(function(*args, **kwargs))
