"""Getting nodes, values and errors from one process to another.

All of it is pickled, and not encoded as checkpoints are: that makes lists of tuples and text of
exceptions, and cannot name types of a script, but a node must give the same wherever it runs. The
processes trust each other: what is sent to a worker is code.
"""

from __future__ import annotations

import importlib
import inspect
import io
import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context, ContextVar
from functools import lru_cache, partial
from typing import Any

from langgraph_rust._internal._runnable import RunnableCallable, run_in_executor
from langgraph_rust.executors._here import is_worker
from langgraph_rust.executors._travel.classes import class_of_home, from_home
from langgraph_rust.executors._travel.tasks import is_task, reduce_task
from langgraph_rust.executors.base import NotPortableError
from langgraph_rust.pregel._build.utils import at_home

__all__ = (
    "check_node",
    "dumps",
    "dumps_named",
    "dumps_node",
    "load_node",
    "loads",
    "variable",
)

LARGE = 256 * 1024
"""Fields of the input from this size on, in bytes, travel apart from it."""

WHOLE = "\0whole"
"""Stands for the whole input among its fields."""

loads = pickle.loads


def dumps(value: Any) -> bytes:
    """Pickle `value`, what cannot be imported elsewhere by its code.

    Raises:
        NotPortableError: It cannot be pickled.
    """
    buffer = io.BytesIO()
    try:
        _pickler()(buffer, protocol=5).dump(value)
    except NotPortableError:
        raise
    except Exception as error:
        raise NotPortableError(f"{type(value).__name__}: {error}") from error
    return buffer.getvalue()


def dumps_named(value: Any, what: str, node: str) -> bytes:
    """Pickle a value that a node is given.

    Args:
        value: The value.
        what: What it is, for the error.
        node: The node's name.

    Raises:
        NotPortableError: It cannot be pickled; the message says what it is.
    """
    try:
        return dumps(value)
    except NotPortableError as error:
        raise NotPortableError(
            f"{what} cannot be sent to the process that the node '{node}' runs in: {error}"
        ) from error


@lru_cache(maxsize=1)
def _pickler() -> Any:
    try:
        import cloudpickle
    except ImportError:
        raise ImportError(
            "Running nodes in other processes needs cloudpickle: "
            "pip install 'langgraph-rust[process]'"
        ) from None

    class Pickler(cloudpickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            if type(obj) is RunnableCallable:
                return _reduce_callable(obj)
            if is_task(obj):
                return reduce_task(obj)
            if inspect.isfunction(obj) and (path := _wrapped_at(obj)):
                return _unwrapped, path
            if isinstance(obj, ContextVar):
                return variable, (_path_of(obj), *_default_of(obj))
            if isinstance(obj, type) and (number := from_home(obj)) is not None:
                return class_of_home, (number,)
            _load_alias(obj)
            return super().reducer_override(obj)

    return Pickler


def _load_alias(obj: Any) -> None:
    """In drop-in mode classes are of upstream's modules, which not everybody has imported."""
    module = getattr(obj, "__module__", None)
    if isinstance(module, str) and module.startswith("langgraph.") and module not in sys.modules:
        with suppress(ImportError):
            importlib.import_module(module)


# --- Nodes ---------------------------------------------------------------------------------------


def dumps_node(bound: Any, graph: str | None, name: str) -> bytes:
    """Pickle a node, or where a worker finds it.

    Args:
        bound: The node's runnable.
        graph: The graph as `module:attribute`, if the node is to be found there.
        name: The node's name.

    Raises:
        NotPortableError: It cannot be pickled; the message names the node and what it is about.
    """
    if graph is not None:
        return pickle.dumps((graph, name))
    try:
        return dumps(bound)
    except NotPortableError as error:
        culprit = _culprit(bound) or str(error)
        raise NotPortableError(
            f"The node '{name}' cannot be sent to another process: {culprit}. Make it within the "
            'node, or say where workers find the graph: "graph": "module:attribute" beside the '
            'executor\'s "kind"'
        ) from error


def check_node(bound: Any, graph: str | None, name: str) -> None:
    """See whether the node can be sent; raises what `dumps_node` does."""
    if graph is None:
        dumps_node(bound, None, name)


def load_node(function: bytes) -> Any:
    """Return the runnable that `dumps_node` was given, or the one of the graph it names.

    One that was sent by its code is made anew each time: what a call leaves in it is not seen by
    the next, whichever worker that is on.
    """
    loaded = loads(function)
    if not isinstance(loaded, tuple):
        return loaded
    path, name = loaded
    graph = resolve(path)
    node = getattr(graph, "nodes", {}).get(name)
    if node is None:
        raise LookupError(f"{path} is no compiled graph with a node '{name}', but {graph!r}")
    return at_home(node.bound)


def resolve(path: str) -> Any:
    """Import what `module:name` names; the name may have dots."""
    module, _, attribute = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _reduce_callable(runnable: RunnableCallable) -> tuple[Any, ...]:
    """Its parts: what it makes of them holds marks that are told by their identity."""
    func, afunc = runnable.func, runnable.afunc
    in_thread = isinstance(afunc, partial) and afunc.func is run_in_executor
    options = {
        "name": runnable.name,
        "tags": runnable.tags,
        "trace": runnable.trace,
        "recurse": runnable.recurse,
        "explode_args": runnable.explode_args,
        **runnable.kwargs,
    }
    return _make_callable, (func, None if in_thread else afunc, in_thread, options)


def _make_callable(func: Any, afunc: Any, in_thread: bool, options: dict[str, Any]) -> Any:
    if in_thread:
        afunc = partial(run_in_executor, None, func)
    return RunnableCallable(func, afunc, **options)


def _wrapped_at(func: Any) -> tuple[str, str] | None:
    """Where something is found whose `func` this is: a module has the `@task` in its place."""
    module = sys.modules.get(func.__module__ or "")
    found: Any = module
    for part in func.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is None or found is func or func.__module__ == "__main__":
        return None
    return (func.__module__, func.__qualname__) if getattr(found, "func", None) is func else None


def _unwrapped(module: str, qualname: str) -> Any:
    return resolve(f"{module}:{qualname}").func


# --- Context variables ---------------------------------------------------------------------------

_of_scripts: dict[str, ContextVar[Any]] = {}
"""What stands for the variables of the program itself, which workers do not import."""


def variable(path: str, *default: Any) -> ContextVar[Any]:
    """Return the context variable that is found at `module:name`.

    One of the program itself is made anew in a worker, with the `default` that it has.
    """
    if path.startswith("__main__:") and is_worker():
        made = _of_scripts.get(path)
        if made is None:
            made = ContextVar(path, default=default[0]) if default else ContextVar(path)
            made = _of_scripts.setdefault(path, made)
        return made
    return resolve(path)


def _default_of(variable: ContextVar[Any]) -> tuple[Any, ...]:
    try:
        return (Context().run(variable.get),)
    except LookupError:
        return ()


def _path_of(variable: ContextVar[Any]) -> str:
    # Most are called as they are named, so that this looks at one name of each module.
    for name, module in list(sys.modules.items()):
        if getattr(module, "__dict__", {}).get(variable.name) is variable:
            return f"{name}:{variable.name}"
    for name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if value is variable:
                return f"{name}:{attribute}"
    raise NotPortableError(f"the context variable '{variable.name}' is in no module")


# --- What is at fault ----------------------------------------------------------------------------


def _culprit(bound: Any) -> str | None:
    """What in a node cannot be pickled, as people know it."""
    function = getattr(bound, "func", None) or getattr(bound, "afunc", None) or bound
    for what, value in _held_by(function):
        try:
            dumps(value)
        except NotPortableError as error:
            return f"{what}, {error}"
    return None


def _held_by(function: Any) -> Iterator[tuple[str, Any]]:
    function = inspect.unwrap(function) if callable(function) else function
    if isinstance(function, partial):
        for position, value in enumerate(function.args):
            yield f"its argument {position}", value
        for name, value in function.keywords.items():
            yield f"its argument '{name}'", value
        function = function.func
    if inspect.ismethod(function):
        owner = type(function.__self__).__name__
        for name, value in vars(function.__self__).items():
            yield f"'{name}' of the {owner} that it is a method of", value
        function = function.__func__
    if inspect.isfunction(function):
        try:
            used = inspect.getclosurevars(function)
        except ValueError:
            # A variable around it has no value yet.
            return
        for name, value in used.nonlocals.items():
            yield f"'{name}' of the function around it", value
        for name, value in used.globals.items():
            yield f"the global '{name}'", value
        for value in function.__defaults__ or ():
            yield "the default of a parameter", value
    else:
        for name, value in getattr(function, "__dict__", {}).items():
            yield f"its '{name}'", value
