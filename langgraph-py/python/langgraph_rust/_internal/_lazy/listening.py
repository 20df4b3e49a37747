"""Who listens: whether anybody would notice that a run tells langchain-core's callbacks nothing.

That is a handler in the config, tracing that is switched on, a registered hook; and whoever
replaced what the run would have called: langchain-core's callback managers, this package's entry
points. Only then does the ordinary way of running nodes, with a callback manager for each, make a
difference; and then it is always taken.

Nothing is imported to find out: of a module that is not loaded nobody can have changed anything.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._lazy.callbacks import is_silent

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = (
    "is_cores",
    "is_own",
    "is_traced_ambiently",
    "needs_callbacks",
    "runs_as_defined",
    "watch_graphs",
    "watch_nodes",
)


_RUNS = ("invoke", "ainvoke", "stream", "astream")
"""The ways to run a graph or a node."""


def needs_callbacks(config: RunnableConfig) -> bool:
    """Tell whether anybody listens to a run with this config, so that callbacks must be made."""
    callbacks = config.get("callbacks")
    return (
        (bool(callbacks) and not is_silent(callbacks))
        or _is_anything_replaced()
        or is_traced_ambiently()
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


def _asks_langsmith(utils: ModuleType) -> bool:
    return utils.tracing_is_enabled()


def is_traced_ambiently(is_enabled: Callable[[ModuleType], bool] = _asks_langsmith) -> bool:
    """Tell whether langchain-core would add a handler to a run that has none of its own.

    Args:
        is_enabled: Says whether langsmith traces here, given its module `langsmith.utils`.

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
        if is_enabled(langsmith_utils):
            return True
    context = loaded("langchain_core.tracers.context")
    if context is None:
        return False
    if context.tracing_v2_callback_var.get() is not None:
        return True
    for var, _, handler_class, switch in context._configure_hooks:
        if var.get() is not None:
            return True
        if handler_class is not None and switch is not None and _is_switched_on(switch):
            return True
    return False


@cache
def _environment_key(name: str) -> Any:
    return _encoded(name)


def _is_switched_on(name: str) -> bool:
    return _environment.get(_environment_key(name), _OFF[0]) not in _OFF


# --- Replaced functions --------------------------------------------------------------------------

_BASE = "langchain_core.callbacks.base"
_MANAGERS = "langchain_core.callbacks.manager"

_CALLED_OF_BASE = ("__init__", "set_handlers", "add_tags", "add_metadata")
_CALLED = {
    _BASE: {"BaseCallbackManager": _CALLED_OF_BASE},
    _MANAGERS: {
        "": ("_configure", "handle_event", "ahandle_event"),
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
"""What a run without handlers calls of langchain-core: by module, names in its classes.

The second module has what it needs of the first, which may be there alone."""

_MADE = (
    "CallbackManager",
    "AsyncCallbackManager",
    "CallbackManagerForChainRun",
    "AsyncCallbackManagerForChainRun",
)
"""The classes of these that a run makes objects of, by their names in the module."""

Holder = tuple[Mapping[str, Any], tuple[str, ...]]
"""A namespace, and the names in it that are watched."""

_own_holders: list[Holder] = []
_own_values: list[Any] = []
_is_replaced = False


def watch_nodes(cls: type) -> None:
    """Notice from now on when somebody replaces how `cls`, which nodes are instances of, runs."""
    global _is_as_seen
    _own_holders.append((vars(cls), _RUNS))
    _own_values.extend(vars(cls)[name] for name in _RUNS)
    _is_as_seen = _never


def _is_anything_replaced() -> bool:
    """Tell whether anything that a silent run passes over is somebody else's by now."""
    if not _is_as_seen():
        _look()
    return _is_replaced


def _look() -> None:
    """Find out whether everything is what langchain-core and this package defined."""
    global _is_as_seen, _is_replaced
    own = [holder[name] for holder, names in _own_holders for name in names]
    called = list(_called_holders())
    _is_replaced = not (
        all(map(operator.is_, own, _own_values))
        and all(is_cores(holder[n]) for holder, names in called for n in names if n in holder)
    )
    loaded = (_MANAGERS,) if _MANAGERS in sys.modules else (_MANAGERS, _BASE)
    _is_as_seen = _unchanged_since_now([(sys.modules, loaded), *_own_holders, *called])


def _called_holders() -> Iterator[Holder]:
    """Yield where langchain-core, as far as it is loaded, has what a silent run would call."""
    name = _MANAGERS if _MANAGERS in sys.modules else _BASE
    if name not in sys.modules:
        return
    module = vars(sys.modules[name])
    if name == _MANAGERS:
        yield module, _MADE
    for owner, names in _CALLED[name].items():
        if not owner:
            yield module, names
        elif owner in module:
            yield vars(module[owner]), names
        else:
            yield module, (owner,)  # it is just being loaded


def _never() -> bool:
    return False


_is_as_seen: Callable[[], bool] = _never

_UNCHANGED = """
def unchanged({}):
    try:
        return {}
    except KeyError:
        return False
"""


def _unchanged_since_now(holders: Iterable[Holder]) -> Callable[[], bool]:
    """Return a function that tells whether all names still stand for what they do now.

    Unrolled, since it is asked of every run and a loop takes three times as long; and by identity,
    since the wrappers of some packages are equal to what they wrap.
    """
    scope: dict[str, Any] = {}
    tests = []
    for number, (holder, names) in enumerate(holders):
        scope[f"in{number}"] = holder
        for name in names:
            if name in holder:
                value = f"was{len(scope)}"
                scope[value] = holder[name]
                tests.append(f"in{number}[{name!r}] is {value}")
            else:
                tests.append(f"{name!r} not in in{number}")
    # As defaults, since these are looked up faster than globals.
    defaults = ", ".join(f"{name}={name}" for name in scope)
    exec(_UNCHANGED.format(defaults, " and ".join(tests)), scope)
    return scope["unchanged"]


def is_cores(value: Any) -> bool:
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


# --- The methods of graphs -----------------------------------------------------------------------

_own_runs: dict[str, Any] = {}


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
