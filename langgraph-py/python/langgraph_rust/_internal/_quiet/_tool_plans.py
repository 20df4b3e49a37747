"""What is found out once about the classes, functions and schemas of tools.

Which of a tool's methods are langchain-core's own and can be passed over; which parameters its
function has for the config, callbacks or run manager; which fields of its schema are injected.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from langchain_core.runnables import config as configs
from langchain_core.tools import base, simple, structured
from langchain_core.tools.base import BaseTool, InjectedToolCallId
from langchain_core.tools.structured import StructuredTool
from langchain_core.utils import pydantic as schemas
from langchain_core.utils._signature import _signature_parameters
from pydantic import BaseModel

from langgraph_rust._internal._quiet._known import is_known
from langgraph_rust._internal._quiet._memo import Memo
from langgraph_rust._internal._quiet._silence import Skipped, managed
from langgraph_rust._internal._quiet._watch import unchanged_since_now

__all__ = ("SKIPPED", "Function", "Schema", "ToolClass", "function_of", "schema_of", "tool_class")

SKIPPED = Skipped(
    [
        *managed(
            "CallbackManager",
            "AsyncCallbackManager",
            "CallbackManagerForToolRun",
            "AsyncCallbackManagerForToolRun",
        ),
        (base, "CallbackManager"),
        (base, "AsyncCallbackManager"),
        (base, "ToolMessage"),
        (base, "_prep_run_args"),
        (base, "ensure_config"),
        (base, "patch_config"),
        (base, "set_config_context"),
        (base, "coro_with_context"),
        (base, "get_fields"),
        (base, "get_all_basemodel_annotations"),
        (base, "is_basemodel_subclass"),
        (base, "_is_injected_arg_type"),
        (base, "_is_tool_call"),
        (base, "_format_output"),
        (base, "_signature_parameters"),
        (base, "_get_runnable_config_param"),
        (base.ToolMessage, "__init__"),
        (base.ToolMessage, "coerce_args"),
        (simple, "_signature_parameters"),
        (simple, "_get_runnable_config_param"),
        (simple, "run_in_executor"),
        (structured, "_signature_parameters"),
        (structured, "_get_runnable_config_param"),
        (structured, "run_in_executor"),
        (configs, "_set_config_context"),
        (configs, "ensure_config"),
        (schemas, "is_basemodel_subclass"),
    ]
)


# --- Classes -------------------------------------------------------------------------------------

METHODS = (
    "invoke",
    "ainvoke",
    "run",
    "arun",
    "_run",
    "_arun",
    "_parse_input",
    "_to_args_and_kwargs",
    "_filter_injected_args",
)

for _name in METHODS:
    getattr(BaseTool, _name)  # a release without one is not a known one

_BASE = "tools.base:BaseTool."
_OF_FUNCTIONS = ("tools.structured:StructuredTool.", "tools.simple:Tool.")


class ToolClass:
    """What calls of tools of one class may pass over.

    Attributes:
        entry: Why `invoke` and `ainvoke` of the class are not just langchain-core's, by whether
            async; `None` where they are.
        below: The same of what langchain-core's `invoke` and `ainvoke` call.
        parses: Whether arguments are parsed as langchain-core does it.
        runs: Whether `_run` and `_arun` just call the tool's `func` or `coroutine`, by whether
            async.
        offloads: Whether `ainvoke` runs `invoke` on a thread if the tool has no `coroutine`.
        run: The function that is called otherwise, by whether async: its parameters count.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen", "offloads", "parses", "run", "runs")

    def __init__(self, cls: type[BaseTool]) -> None:
        self.is_as_seen = unchanged_since_now((cls, name) for name in METHODS)

        def is_own(name: str, *places: str) -> bool:
            return is_known(getattr(cls, name), *(place + name for place in places))

        def overridden(*names: str) -> str | None:
            found = next((name for name in names if not is_own(name, _BASE)), None)
            return found and f"{cls.__name__}.{found} is not langchain-core's"

        self.offloads = is_own("ainvoke", *_OF_FUNCTIONS)
        self.entry = (
            overridden("invoke"),
            None if self.offloads else overridden("ainvoke"),
        )
        self.below = (
            overridden("run", "_filter_injected_args"),
            overridden("arun", "_filter_injected_args"),
        )
        self.parses = is_own("_parse_input", _BASE) and is_own("_to_args_and_kwargs", _BASE)
        self.runs = (is_own("_run", *_OF_FUNCTIONS), is_own("_arun", *_OF_FUNCTIONS))
        is_default = is_own("_arun", _BASE)
        self.run = (cls._run, cls._run if is_default else cls._arun)


_tool_class: Memo[type[BaseTool], ToolClass] = Memo(ToolClass)


def tool_class(cls: type[BaseTool]) -> ToolClass:
    """Return what is known of a class of tools, as it is now."""
    found = _tool_class(cls)
    if not found.is_as_seen():
        _tool_class.forget(cls)
        found = _tool_class(cls)
    return found


# --- Functions -----------------------------------------------------------------------------------


class Function:
    """Which parameters a function has for what is not among the tool's arguments.

    Attributes:
        config: The name of the parameter for the config, or `None`.
        callbacks: Whether it takes `callbacks`, a manager for what it calls.
        run_manager: Whether it takes `run_manager`.
        reason: Why it cannot be called quickly, or `None`.
    """

    __slots__ = ("callbacks", "config", "reason", "run_manager")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.reason: str | None = None
        self.config: str | None = None
        self.callbacks = self.run_manager = False
        try:
            parameters = _signature_parameters(function)
            self.config = base._get_runnable_config_param(function)
        except Exception:
            self.reason = "the function of the tool has no signature"
        else:
            self.callbacks = "callbacks" in parameters
            self.run_manager = "run_manager" in parameters


_remembered: Memo[Callable[..., Any], Function] = Memo(Function)


def function_of(function: Callable[..., Any]) -> Function:
    """Return what is known of a function that does a tool's work."""
    if type(function) in (FunctionType, MethodType):
        return _remembered(function)
    # An object's call may change, and hints of a partial function are those of another.
    return Function(function)


# --- Schemas -------------------------------------------------------------------------------------


class Schema:
    """The fields of a tool's arguments.

    Attributes:
        model: The pydantic class that validates, or `None` if it is none that is known here.
        is_empty: Whether a call takes no arguments at all.
        call_ids: The fields that are given the id of the tool call.
        optional: The fields that are passed on though the call does not name them.
        fields: All of them, as pydantic has them at the moment.
    """

    __slots__ = ("call_ids", "fields", "is_empty", "model", "optional")

    def __init__(self, model: Any) -> None:
        self.model = None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return
        try:
            hints = base.get_all_basemodel_annotations(model)
        except Exception:
            return  # it raises, with every call
        if not model.__pydantic_complete__:
            return
        self.model = model
        self.fields = model.__pydantic_fields__
        self.is_empty = not self.fields
        self.call_ids = tuple(
            name
            for name, hint in hints.items()
            if base._is_injected_arg_type(hint, injected_type=InjectedToolCallId)
        )
        self.optional = frozenset(
            name
            for name, field in self.fields.items()
            if not field.is_required() and name not in ("args", "kwargs")
        )


_schema: Memo[Any, Schema] = Memo(Schema)


def schema_of(model: Any) -> Schema | None:
    """Return what is known of the class of a tool's arguments, if it is pydantic's."""
    if not isinstance(model, type):
        return None
    found = _schema(model)
    if found.model is None or found.fields is not model.__pydantic_fields__:
        _schema.forget(model)  # it may be complete by the next call
        found = _schema(model) if found.model is not None else found
    return found if found.model is not None else None
