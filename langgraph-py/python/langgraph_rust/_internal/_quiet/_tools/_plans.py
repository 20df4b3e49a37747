"""What is found out once about the classes, functions and schemas of tools.

Which of a tool's methods are langchain-core's own and can be passed over; which parameters its
function has for the config, callbacks or run manager; which fields of its schema are injected.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from types import FunctionType, MethodType, UnionType
from typing import Any, Union, get_args, get_origin
from weakref import ref

from langchain_core.messages import ToolMessage
from langchain_core.runnables import config as configs
from langchain_core.tools import base, simple, structured
from langchain_core.tools.base import BaseTool, InjectedToolCallId
from langchain_core.utils._signature import _signature_parameters
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from langgraph_rust._internal._quiet._known import is_known, original
from langgraph_rust._internal._quiet._known.memo import Memo
from langgraph_rust._internal._quiet._known.watch import class_unchanged_since_now
from langgraph_rust._internal._quiet._silence import Skipped, managed

__all__ = (
    "METHODS",
    "SKIPPED",
    "Function",
    "Schema",
    "ToolClass",
    "function_of",
    "schema_of",
    "tool_class",
)

SKIPPED = Skipped(
    watched=[
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
        (base, "_format_output"),
        (base, "ensure_config"),
        (base, "patch_config"),
        (base, "set_config_context"),
        (base, "coro_with_context"),
        (ToolMessage, "__init__"),
    ],
    trusted=[
        (base, "get_fields"),
        (base, "get_all_basemodel_annotations"),
        (base, "is_basemodel_subclass"),
        (base, "_is_injected_arg_type"),
        (base, "_is_tool_call"),
        (base, "_signature_parameters"),
        (base, "_get_runnable_config_param"),
        (ToolMessage, "coerce_args"),
        (simple, "_signature_parameters"),
        (simple, "_get_runnable_config_param"),
        (simple, "run_in_executor"),
        (structured, "_signature_parameters"),
        (structured, "_get_runnable_config_param"),
        (structured, "run_in_executor"),
        (configs, "_set_config_context"),
        (configs, "ensure_config"),
    ],
)


# --- Classes -------------------------------------------------------------------------------------

METHODS = frozenset(
    (
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
)

for _name in METHODS:
    getattr(BaseTool, _name)  # a release without one is not a known one

_BASE = "tools.base:BaseTool."
_OF_FUNCTIONS = ("tools.structured:StructuredTool.", "tools.simple:Tool.")


class ToolClass:
    """What calls of tools of one class may pass over, sync ones or async ones.

    Attributes:
        entry: Why the class's `invoke` is not just langchain-core's; `None` where it is.
        below: The same of what langchain-core's `invoke` calls.
        parses: Whether arguments are parsed as langchain-core does it.
        runs: Whether `_run` just calls the tool's `func`, and `_arun` its `coroutine`.
        offloads: Whether `ainvoke` runs `invoke` on a thread if the tool has no `coroutine`.
        work: What is known of the function that is called otherwise.
        is_as_seen: Tells whether the methods of the class are still those.
    """

    __slots__ = ("below", "entry", "is_as_seen", "offloads", "parses", "runs", "work")

    def __init__(self, cls: type[BaseTool], is_async: bool) -> None:
        invoke, run, work = _ASYNC if is_async else _SYNC
        names = (invoke, run, work, *_PARSING, *(("_run",) if is_async else ()))
        self.is_as_seen = class_unchanged_since_now(cls, names)

        def is_own(name: str, *places: str) -> bool:
            return is_known(getattr(cls, name), *(place + name for place in places))

        def overridden(*names: str) -> str | None:
            found = next((name for name in names if not is_own(name, _BASE)), None)
            return found and f"{cls.__name__}.{found} is not langchain-core's"

        self.offloads = is_async and is_own(invoke, *_OF_FUNCTIONS)
        self.entry = None if self.offloads else overridden(invoke)
        self.below = overridden(run, "_filter_injected_args")
        self.parses = is_own("_parse_input", _BASE) and is_own("_to_args_and_kwargs", _BASE)
        self.runs = is_own(work, *_OF_FUNCTIONS)
        # By default, an async tool runs the sync one on a thread.
        self.work = Function(cls._run if is_async and is_own(work, _BASE) else getattr(cls, work))


_SYNC = ("invoke", "run", "_run")
_ASYNC = ("ainvoke", "arun", "_arun")
_PARSING = ("_parse_input", "_to_args_and_kwargs", "_filter_injected_args")


def _look_at(cls: type[Any], is_async: bool) -> ToolClass | None:
    if not issubclass(cls, BaseTool):
        return None
    try:
        return ToolClass(cls, is_async)
    except Exception:
        return None  # whatever stands in for its methods: that is for `invoke` to find out


_tool_classes: tuple[Memo[type[Any], ToolClass | None], ...] = (
    Memo(partial(_look_at, is_async=False)),
    Memo(partial(_look_at, is_async=True)),
)


def tool_class(cls: type[Any], is_async: bool) -> ToolClass | None:
    """Return what is known of a class, as it is now, or `None` if it is no class of tools."""
    remembered = _tool_classes[is_async]
    found = remembered(cls)
    if found is not None and not found.is_as_seen(cls.__mro__):
        remembered.forget(cls)
        found = remembered(cls)
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
        is_empty: Whether a call takes no arguments at all.
        call_ids: The fields that are given the id of the tool call.
        optional: The fields that are passed on though the call does not name them.
        fields: All of them, as pydantic has them at the moment.
        injected: The fields that callers fill in, not models: they may hold all of a graph's state.
        is_plain: Whether the fields are all that dumping a valid object shows, and dumping those
            that are not injected has no effects.
    """

    __slots__ = ("_model", "call_ids", "fields", "injected", "is_empty", "is_plain", "optional")

    def __init__(self, model: Any) -> None:
        self._model: ref[Any] | None = None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return
        try:
            hints = base.get_all_basemodel_annotations(model)
        except Exception:
            return  # it raises, with every call
        if not model.__pydantic_complete__:
            return
        # Weakly: this is remembered for as long as the class lives.
        self._model = ref(model)
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
        is_special = (
            model.__pydantic_decorators__.model_serializers
            or model.model_config.get("extra") == "allow"
        )
        self.injected = {
            name
            for name, hint in hints.items()
            if base._is_injected_arg_type(hint)
            and not is_special
            and not _may_be_left_out(self.fields[name])
        }
        self.is_plain = _is_plain(model, self.injected)

    @property
    def model(self) -> Any:
        """The pydantic class that validates, or `None` if it is none that is known here."""
        return None if self._model is None else self._model()


_SCALARS = (str, int, float, bool, type(None))
_CONTAINERS = (list, dict, tuple, set, frozenset, Union, UnionType)
_HOOKS = ("__get_pydantic_core_schema__", "model_validate", "model_dump")


def _is_plain(model: type[BaseModel], injected: Collection[str]) -> bool:
    """Tell whether a model has plain fields, and nothing to say about how they are dumped."""
    decorators = model.__pydantic_decorators__
    return (
        not decorators.computed_fields
        and not decorators.field_serializers
        and not decorators.model_serializers
        and model.model_config.get("extra") != "allow"
        and all(
            not _may_be_left_out(field)
            and (name in injected or (not field.metadata and _is_plain_type(field.annotation)))
            for name, field in model.__pydantic_fields__.items()
        )
        and all(
            original(getattr(model, name)) is original(getattr(BaseModel, name)) for name in _HOOKS
        )
    )


def _may_be_left_out(field: FieldInfo) -> bool:
    return bool(field.exclude or getattr(field, "exclude_if", None))


def _is_plain_type(hint: Any) -> bool:
    if hint in _SCALARS:
        return True
    arguments = [argument for argument in get_args(hint) if argument is not ...]
    is_known = get_origin(hint) in _CONTAINERS and arguments
    return bool(is_known) and all(map(_is_plain_type, arguments))


_schema: Memo[Any, Schema] = Memo(Schema)


def schema_of(model: Any) -> Schema | None:
    """Return what is known of the class of a tool's arguments, if it is pydantic's."""
    if not isinstance(model, type):
        return None
    found = _schema(model)
    if found.model is None:
        _schema.forget(model)  # it may be complete by the next call
        return None
    if found.fields is not model.__pydantic_fields__:
        _schema.forget(model)
        return schema_of(model)
    return found
