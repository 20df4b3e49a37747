"""Who listens: whether anybody would notice that a run tells langchain-core's callbacks nothing.

That is a handler in the config, tracing that is switched on, a registered hook; and whoever
replaced what the run would have called: langchain-core's callback managers, this package's entry
points. Only then does the ordinary way of running nodes, with a callback manager for each, make a
difference; and then it is always taken.

Nothing is imported to find out: of a module that is not loaded nobody can have changed anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._lazy.callbacks import is_silent

if TYPE_CHECKING:
    from contextvars import ContextVar

    from langchain_core.runnables import RunnableConfig

__all__ = (
    "is_own",
    "needs_callbacks",
    "runs_as_defined",
    "watch_graphs",
    "watch_nodes",
)


def needs_callbacks(config: RunnableConfig) -> bool:
    """Tell whether anybody listens to a run with this config, so that callbacks must be made."""
    callbacks = config.get("callbacks")
    return (
        (bool(callbacks) and not is_silent(callbacks))
        or _are_managers_replaced()
        or not _nodes_are_own()
        or _is_traced_ambiently()
    )


# --- Tracing and hooks ---------------------------------------------------------------------------

# `os.environ` raises and catches an exception for each absent name, and this is asked of every run.
# Behind it is a dict with encoded keys and values.
_environment: Any = getattr(os.environ, "_data", os.environ)
_encoded: Callable[[str], Any] = getattr(os.environ, "encodekey", str)
_OFF = tuple(map(_encoded, ("", "0", "false", "False", "FALSE")))

_TRACING_SWITCHES = (
    "LANGSMITH_TRACING_V2",
    "LANGCHAIN_TRACING_V2",
    "LANGSMITH_TRACING",
    "LANGCHAIN_TRACING",
    "LANGCHAIN_HANDLER",
)
_TRACING_KEYS = frozenset(map(_encoded, _TRACING_SWITCHES))


def _is_traced_ambiently() -> bool:
    """Tell whether langchain-core would add a handler to a run that has none of its own.

    Looks at langchain-core's and langsmith's state only as far as they are loaded: before that,
    only environment variables can have turned anything on.
    """
    if not _environment.keys().isdisjoint(_TRACING_KEYS):
        if any(map(_is_switched_on, _TRACING_SWITCHES)):
            return True
    loaded = sys.modules.get
    langchain_globals = loaded("langchain_core.globals")
    if langchain_globals is not None and getattr(langchain_globals, "_debug", False):
        return True
    langsmith_utils = loaded("langsmith.utils")
    if langsmith_utils is not None and "langsmith.run_helpers" in sys.modules:
        if langsmith_utils.tracing_is_enabled():
            return True
    context = loaded("langchain_core.tracers.context")
    if context is None:
        return False
    return context.tracing_v2_callback_var.get() is not None or any(
        map(_adds_handler, context._configure_hooks)
    )


def _adds_handler(hook: tuple[ContextVar[Any], bool, type | None, str | None]) -> bool:
    var, _, handler_class, switch = hook
    if var.get() is not None:
        return True
    return handler_class is not None and switch is not None and _is_switched_on(switch)


@cache
def _environment_key(name: str) -> Any:
    return _encoded(name)


def _is_switched_on(name: str) -> bool:
    return _environment.get(_environment_key(name), _OFF[0]) not in _OFF


# --- Replaced functions --------------------------------------------------------------------------

Unchanged = Callable[[], bool]

_UNCHANGED = """
def unchanged():
    try:
        return {}
    except KeyError:
        return False
"""


def _unchanged_since_now(holders: Iterable[tuple[Mapping[str, Any], Iterable[str]]]) -> Unchanged:
    """Return a function that tells whether all names still stand for what they do now.

    Unrolled, since it is asked of every run and a loop takes three times as long; and by identity,
    since the wrappers of some packages are equal to what they wrap.

    Args:
        holders: Namespaces, each with the names to look at. Absent ones are to stay absent.
    """
    scope: dict[str, Any] = {}
    tests = []
    for number, (holder, names) in enumerate(holders):
        scope[f"in{number}"] = holder
        for name in names:
            if name in holder:
                scope[f"was{number}_{name}"] = holder[name]
                tests.append(f"in{number}[{name!r}] is was{number}_{name}")
            else:
                tests.append(f"{name!r} not in in{number}")
    exec(_UNCHANGED.format(" and ".join(tests)), scope)
    return scope["unchanged"]


_BASE = "langchain_core.callbacks.base"
_MANAGERS = "langchain_core.callbacks.manager"

_CALLED_OF_BASE = ("__init__", "set_handlers", "add_tags", "add_metadata")
_CALLED = {
    _BASE: {"BaseCallbackManager": _CALLED_OF_BASE},
    _MANAGERS: {
        "": (
            "_configure",
            "handle_event",
            "ahandle_event",
            "CallbackManager",
            "AsyncCallbackManager",
            "CallbackManagerForChainRun",
            "AsyncCallbackManagerForChainRun",
        ),
        "BaseCallbackManager": _CALLED_OF_BASE,
        "CallbackManager": ("__init__", "configure", "on_chain_start"),
        "AsyncCallbackManager": ("__init__", "configure", "on_chain_start"),
        "BaseRunManager": ("__init__",),
        "ParentRunManager": ("get_child",),
        "AsyncParentRunManager": ("get_child",),
        "CallbackManagerForChainRun": ("on_chain_end", "on_chain_error"),
        "AsyncCallbackManagerForChainRun": ("on_chain_end", "on_chain_error"),
    },
}
"""What a run without handlers calls of langchain-core: names in a module, and in its classes.

The second module has what it needs of the first, which may be there alone."""


class _Managers:
    """The callback managers in a loaded module, as they were when last looked at."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.look()

    def look(self) -> None:
        """Find out whether all of them are what langchain-core defined."""
        holders = [
            (vars(getattr(self.module, owner) if owner else self.module), names)
            for owner, names in _CALLED[self.module.__name__].items()
        ]
        self.are_replaced = not all(
            _is_cores(holder[name]) for holder, names in holders for name in names if name in holder
        )
        self.are_as_seen = _unchanged_since_now(holders)


_managers: _Managers | None = None


def _are_managers_replaced() -> bool:
    """Tell whether anybody patched langchain-core's callback managers, and has not undone it."""
    global _managers
    module = sys.modules.get(_MANAGERS) or sys.modules.get(_BASE)
    if module is None:
        return False
    managers = _managers
    if managers is None or managers.module is not module:
        if not all(hasattr(module, owner) for owner in _CALLED[module.__name__] if owner):
            return False  # it is just being loaded
        managers = _managers = _Managers(module)
    elif not managers.are_as_seen():
        managers.look()
    return managers.are_replaced


def _is_cores(value: Any) -> bool:
    """Tell whether a function or class is langchain-core's own; so must be what it wraps."""
    if isinstance(value, type):
        return _is_of_core(value.__module__)
    function = value.__func__ if type(value) is classmethod else value
    while type(function) is FunctionType:
        # Some packages replace the code and leave the function.
        known = _is_of_core(function.__globals__.get("__name__"))
        if not known or "langchain_core" not in function.__code__.co_filename:
            return False
        inner: Any = getattr(function, "__wrapped__", None)
        if inner is None:
            return True
        function = inner
    return False


def _is_of_core(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] == "langchain_core"


# --- This package's entry points -----------------------------------------------------------------

_RUNS = ("invoke", "ainvoke", "stream", "astream")

_nodes_are_own: Unchanged = lambda: True  # noqa: E731
_own_runs: dict[str, Any] = {}


def watch_nodes(cls: type) -> None:
    """Notice from now on when somebody replaces how `cls`, which nodes are instances of, runs."""
    global _nodes_are_own
    _nodes_are_own = _unchanged_since_now([(vars(cls), _RUNS)])


def watch_graphs(cls: type) -> None:
    """Take the methods with which `cls`, a base of all graphs, runs for this package's own."""
    _own_runs.update((name, getattr(cls, name)) for name in _RUNS)


def is_own(graph: Any, name: str) -> bool:
    """Tell whether a graph's method is this package's own, neither patched nor overridden."""
    return getattr(type(graph), name) is _own_runs[name] and name not in graph.__dict__


def runs_as_defined(graph: Any) -> bool:
    """Tell whether all methods that run a graph are this package's own.

    If not, the graph is to be run by calling them, also where it is a node of another one.
    """
    cls = type(graph)
    for name, own in _own_runs.items():
        if getattr(cls, name) is not own:
            return False
    return graph.__dict__.keys().isdisjoint(_own_runs)
