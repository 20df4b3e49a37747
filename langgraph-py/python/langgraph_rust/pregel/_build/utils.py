"""Looking into what a node runs: subgraphs it reaches, and whether it can be cancelled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._quiet import only_decides
from langgraph_rust._internal._runnable import RunnableCallable, RunnableSeq
from langgraph_rust._internal._timeout import sync_timeout_unsupported
from langgraph_rust.pregel.protocol import PregelProtocol

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from langgraph_rust._internal._lazy.runnable import LazyRunnable
    from langgraph_rust.checkpoint.base import ChannelVersions


def get_new_channel_versions(
    previous_versions: ChannelVersions, current_versions: ChannelVersions
) -> ChannelVersions:
    """Return the versions in `current_versions` that are newer than in `previous_versions`."""
    if not previous_versions:
        return current_versions
    # versions are int, float or str, all of one type; "no version" is the type's zero
    null = type(next(iter(current_versions.values()), None))()
    return {
        channel: version
        for channel, version in current_versions.items()
        if version > previous_versions.get(channel, null)  # pyright: ignore[reportOperatorIssue]
    }


def find_subgraph_pregel(candidate: Runnable | LazyRunnable) -> PregelProtocol | None:
    """Return the first graph `candidate` is or reaches, `None` if there is none.

    Looks through sequences, the runnables a `RunnableLambda` depends on, and what plain functions
    capture or name. Graphs compiled with `checkpointer=False` do not count.
    """
    queue: list[Any] = [candidate]
    seen: set[int] = set()
    for item in queue:
        if isinstance(item, PregelProtocol) and not _opted_out(item):
            return item
        if id(item) not in seen:
            seen.add(id(item))
            queue.extend(_reached_from(item))
    return None


def _opted_out(graph: PregelProtocol) -> bool:
    from langgraph_rust.pregel.main import Pregel

    return isinstance(graph, Pregel) and graph.checkpointer is False


def _reached_from(item: Any) -> list[Any]:
    if isinstance(item, RunnableCallable):
        func = item.func if item.func is not None else item.afunc
        if func is None:
            return []
        return [getattr(value, "__self__", value) for value in get_function_nonlocals(func)]
    if isinstance(item, (RunnableSeq, _core("RunnableSequence"))):
        return item.steps
    if isinstance(item, _core("RunnableLambda")):
        return item.deps
    return []


class _Never:
    """No object is an instance of this."""


def _core(name: str) -> type:
    """A class of `langchain_core.runnables.base`, or one without instances if not imported yet."""
    module = sys.modules.get("langchain_core.runnables.base")
    return getattr(module, name, _Never)


def validate_timeout_supported(runnable: Runnable | LazyRunnable, *, name: str) -> None:
    """Raise `ValueError` if node `name` runs sync code, which a timeout could not stop."""
    if not _is_async(runnable):
        raise sync_timeout_unsupported(name)


def _is_async(runnable: Any) -> bool:
    """Whether every step of `runnable` awaits; an own `ainvoke` is trusted to."""
    while isinstance(runnable, _core("RunnableBindingBase")):
        runnable = runnable.bound
    if isinstance(runnable, (RunnableSeq, _core("RunnableSequence"))):
        return all(map(_is_async, runnable.steps))
    if isinstance(runnable, _core("RunnableParallel")):
        return all(map(_is_async, runnable.steps__.values()))
    if isinstance(runnable, RunnableCallable):
        return runnable.afunc is not None and not runs_in_executor(runnable.afunc)
    if isinstance(runnable, _core("RunnableLambda")):
        return bool(getattr(runnable, "afunc", False))
    return _overrides_ainvoke(type(runnable))


def runs_in_executor(afunc: Callable[..., Any]) -> bool:
    """Whether an async function only runs a sync one in a thread."""
    return isinstance(afunc, partial) and getattr(afunc.func, "__name__", "") == "run_in_executor"


def called_on_loop(
    func: Callable[..., Any] | None, afunc: Callable[..., Any] | None
) -> Callable[..., Any] | None:
    """Return what an async run calls on the event loop's thread, `None` if a worker calls `func`.

    A sync function without an async twin is called there by whoever made a runnable of it that
    way. One whose twin runs it in a thread stays there only if it is known to wait for nothing.
    """
    if afunc is None or (runs_in_executor(afunc) and only_decides(func)):
        return func
    return None if runs_in_executor(afunc) else afunc


def _overrides_ainvoke(cls: type) -> bool:
    method = getattr(cls, "ainvoke", None)
    from langgraph_rust._internal._lazy.runnable import LazyRunnable

    inherited = (getattr(base, "ainvoke", None) for base in (LazyRunnable, _core("Runnable")))
    return method is not None and all(method is not default for default in inherited)


# A value of exactly one of these types leads to no graph. (A container may hold one, but the
# search does not open containers; a subclass may have attributes.)
_LEAF_TYPES = frozenset(
    (
        bool,
        bytearray,
        bytes,
        complex,
        dict,
        float,
        frozenset,
        int,
        list,
        set,
        str,
        tuple,
        type(None),
    )
)


def get_function_nonlocals(func: Callable[..., Any]) -> list[Any]:
    """Return the values from outside its own scope that `func` may use.

    These are everything its closure holds, the globals its code loads, and each value along the
    attribute paths (`module.holder.graph`) its code loads from those two. Loading is not using:
    some values may never be reached when the function runs. Callables without code of their own
    give an empty list.
    """
    func = _unwrapped(func)
    if not isinstance(func, FunctionType):
        return []
    code = func.__code__
    captured = dict(_filled_cells(func))
    namespace = func.__globals__
    named = {name: namespace[name] for name in code.co_names if name in namespace}
    values = list(captured.values())
    if any(type(v) not in _LEAF_TYPES for scope in (captured, named) for v in scope.values()):
        for is_global, name, attributes in _load_paths(code):
            value = (named if is_global else captured).get(name)
            _append_path(values, value, attributes)
    return values


def _unwrapped(func: Any) -> Any:
    """The function behind a bound method and behind one level of `functools.wraps`."""
    func = getattr(func, "__func__", func)
    wrapped = getattr(func, "__wrapped__", None)
    return getattr(wrapped, "__func__", wrapped) if callable(wrapped) else func


def _filled_cells(func: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(func.__code__.co_freevars, func.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:
            pass  # assigned later, or never


def _append_path(values: list[Any], value: Any, attributes: tuple[str, ...]) -> None:
    if value is not None:
        values.append(value)
    for attribute in attributes:
        value = getattr(value, attribute, None)
        if value is not None:
            values.append(value)


@lru_cache(maxsize=4096)
def _load_paths(code: CodeType) -> tuple[tuple[bool, str, tuple[str, ...]], ...]:
    """List the `name.attribute...` loads in a function's code and in the code nested in it.

    Each is `(is a global, name, attributes)`. Cached, because functions made by one factory share
    their code, and a graph may have thousands of those.
    """
    import dis

    paths: list[tuple[bool, str, list[str]]] = []
    codes = [code]
    for current in codes:
        codes.extend(const for const in current.co_consts if isinstance(const, CodeType))
        attributes: list[str] | None = None  # of the path that is being loaded
        for instruction in dis.get_instructions(current):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_DEREF"):
                attributes = []
                is_global = instruction.opname == "LOAD_GLOBAL"
                paths.append((is_global, instruction.argval, attributes))
            elif instruction.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                attributes = None
            elif attributes is not None:
                attributes.append(instruction.argval)
    return tuple((is_global, name, tuple(attrs)) for is_global, name, attrs in paths)


def is_xxh3_128_hexdigest(value: str) -> bool:
    """Whether `value` looks like the hex form of a 128-bit XXH3 hash."""
    return len(value) == 32 and set(value) <= set("0123456789abcdef")


def at_home(bound: Any) -> Any:
    """Return what a node runs, wherever an executor has it run: it is the same node."""
    # Asked of the class: an attribute that an instance lacks may load langchain-core.
    return bound.at_home if getattr(type(bound), "runs_elsewhere", False) else bound
