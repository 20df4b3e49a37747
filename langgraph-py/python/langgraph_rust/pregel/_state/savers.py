"""Which saver a run or a state method uses, and what is known about that saver."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from langgraph_rust._internal import _serde
from langgraph_rust._internal._config import ensure_config, patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    NS_END,
    NS_SEP,
)
from langgraph_rust._internal._switches import is_on
from langgraph_rust.checkpoint.serde._default import is_drop_in
from langgraph_rust.checkpoint.serde.errors import StoredValueError
from langgraph_rust.pregel._build.asked import check_thread
from langgraph_rust.pregel._state.twins import Call, Steps, accepts

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import (
        BaseCheckpointSaver,
        CheckpointTuple,
        DeltaChannelHistory,
    )
    from langgraph_rust.pregel.main import Pregel


def resolve_saver(graph: Pregel[Any, Any, Any, Any], conf: Any) -> BaseCheckpointSaver | None:
    """Return the saver for a run with this `configurable`; `None` to run without.

    That is the one a parent graph lends, or else the graph's own; never any for a graph compiled
    with `checkpointer=False`. Raises `RuntimeError` for `True` without a parent.
    """
    own = graph.checkpointer
    if own is False:
        return None
    if CONFIG_KEY_CHECKPOINTER in conf:
        saver = conf[CONFIG_KEY_CHECKPOINTER]
    elif own is True:
        raise RuntimeError("checkpointer=True cannot be used for root graphs.")
    else:
        saver = own
    if saver is None or isinstance(saver, bool):
        return None
    if _serde.STRICT_MSGPACK_ENABLED:
        saver = _serde.apply_checkpointer_allowlist(saver, graph._serde_allowlist)
    return saver


def require_saver(graph: Pregel[Any, Any, Any, Any], config: RunnableConfig) -> BaseCheckpointSaver:
    """Return the saver for a state method called with `config`.

    Raises `ValueError` if there is none.
    """
    conf = ensure_config(config)[CONF]
    saver = resolve_saver(graph, conf)
    if saver is None:
        raise ValueError("No checkpointer set")
    check_thread(conf)
    return saver


def own_history_config(graph: Pregel[Any, Any, Any, Any], config: RunnableConfig) -> RunnableConfig:
    """Return the config under which the graph's checkpoints are stored.

    A `checkpointer=True` subgraph has one history per thread: its namespace has no task ids. Call
    numbers stay, so that a task that runs the graph twice keeps the two apart.
    """
    if graph.checkpointer is not True:
        return config
    levels = config[CONF].get(CONFIG_KEY_CHECKPOINT_NS, "").split(NS_SEP)
    stable = NS_SEP.join(level.partition(NS_END)[0] for level in levels)
    return patch_configurable(config, {CONFIG_KEY_CHECKPOINT_NS: stable})


def is_superseded(
    saver: BaseCheckpointSaver, config: RunnableConfig, saved: CheckpointTuple
) -> Steps[bool]:
    """Find out whether a thread went on after `saved`, the checkpoint that `config` names.

    True also for the last checkpoint of an abandoned branch, which cannot be told apart cheaply.
    """
    if not config[CONF].get(CONFIG_KEY_CHECKPOINT_ID):
        return False
    newest = patch_configurable(config, {CONFIG_KEY_CHECKPOINT_ID: None})
    try:
        latest = yield Call(saver, "get_tuple", (newest,))
    except StoredValueError:
        # What cannot be read may be what the caller goes back behind.
        return True
    return latest is not None and latest.checkpoint["id"] != saved.checkpoint["id"]


def histories_of(
    graph: Pregel[Any, Any, Any, Any], saver: BaseCheckpointSaver, saved: CheckpointTuple
) -> Steps[Mapping[str, DeltaChannelHistory] | None]:
    """Fetch the histories of the channels whose values a checkpoint does not hold.

    They are delta channels, or were when the checkpoint was made. `None` if there are none.
    """
    if channels := graph._native_plan.needs_history(saved.checkpoint):
        arguments = {"config": saved.config, "channels": channels}
        return (yield Call(saver, "get_delta_channel_history", kwargs=arguments))
    return None


class SaverTraits(NamedTuple):
    """What the engine needs to know about a saver."""

    never_blocks: bool
    """Whether async runs may call its sync methods."""
    takes_path: bool
    """Whether `put_writes` takes the task's path."""
    joins: bool
    """Whether it has `put_superstep`, which stores what the other two do in one step."""
    linear: bool | list[str]
    """Which fields with reducers are stored as changes: those known to allow it, or named."""
    versioning: str | Callable[[Any, None], Any]
    """`"text"` if versions are counted as the engine does by itself, else the function to ask."""


def saver_traits(saver: BaseCheckpointSaver, *, is_async: bool) -> SaverTraits:
    """Look at a saver's methods."""
    put_writes = saver.aput_writes if is_async else saver.put_writes
    return SaverTraits(
        _is_unchanged_memory(saver),
        accepts(put_writes, "task_path"),
        joins(saver),
        _linear(saver),
        versioning_of(saver),
    )


def joins(saver: BaseCheckpointSaver) -> bool:
    """Whether a checkpoint may be stored together with the writes before it.

    Whoever has overridden or replaced the methods that store one of both wants them to be called.
    """
    cls = type(saver)
    if not hasattr(cls, "put_superstep") or not _STORING.isdisjoint(vars(saver)):
        return False
    methods = tuple(map(getattr, (cls,) * len(_STORING), _STORING))
    known = _joining.get(cls)
    if known is None or known[0] != methods:
        known = _joining[cls] = methods, _stores_as_defined(cls)
    return known[1]


def _linear(saver: BaseCheckpointSaver) -> bool | list[str]:
    # Some savers are no `BaseCheckpointSaver`, only like one.
    wanted = getattr(saver, "linear_storage", False)
    if wanted is None:
        wanted = _linear_by_default(saver)
    return wanted if isinstance(wanted, bool) else _names(wanted)


def _names(wanted: Any) -> list[str]:
    # A text is a collection of its letters.
    if isinstance(wanted, Collection) and not isinstance(wanted, (str, bytes)):
        names = list(wanted)
        if all(isinstance(name, str) for name in names):
            return names
    raise TypeError(
        "linear_storage of a saver must be True, False, None or a collection of the names of "
        f"fields, such as {{'messages'}}, not {wanted!r}"
    )


def _linear_by_default(saver: BaseCheckpointSaver) -> bool:
    """What holds for a saver that was told nothing.

    In drop-in mode the rows are upstream's, so that a way back to any version stays open.
    """
    return is_on(_LINEAR_STORAGE, unset=getattr(saver, "_is_linear", False) and not is_drop_in())


def _stores_as_defined(cls: type) -> bool:
    """Whether the class that has `put_superstep` has the last word on all methods that store."""
    home = next(base for base in cls.__mro__ if "put_superstep" in vars(base))
    below = cls.__mro__[: cls.__mro__.index(home)]
    own = [vars(home)[name] for name in _STORING & vars(home).keys()]
    return all(_is_from(method, home.__module__) for method in own) and all(
        _STORING.isdisjoint(vars(base)) for base in below
    )


_joining: WeakKeyDictionary[type, tuple[Any, bool]] = WeakKeyDictionary()
"""What was found out, and the methods for which it holds."""


def versioning_of(saver: BaseCheckpointSaver) -> str | Callable[[Any, None], Any]:
    """Return `"text"` for savers that count versions in the way of those that ship, or a function.

    The function is the saver's `get_next_version`.
    """
    next_version = saver.get_next_version
    func = getattr(next_version, "__func__", None)
    home = getattr(func, "__module__", "")
    # All that ship count alike, except for the base class, which counts in integers.
    if home.startswith(_SHIPPED) and home != f"{_SHIPPED}base":
        return "text"
    return next_version


_SHIPPED = f"{__name__.partition('.')[0]}.checkpoint."
_MEMORY = f"{_SHIPPED}memory"


def _is_unchanged_memory(saver: BaseCheckpointSaver) -> bool:
    # No instance can exist before the module does.
    memory = sys.modules.get(_MEMORY)
    if memory is None or type(saver) is not memory.InMemorySaver:
        return False
    # Whoever replaced an async method, on the object or the class, wants it to be called.
    replaced = vars(saver).keys() & _ASYNC_METHODS
    return not replaced and all(
        _is_from(getattr(type(saver), name), _MEMORY) for name in _ASYNC_METHODS
    )


def _is_from(method: Any, module: str) -> bool:
    """Whether a module has defined a function. What replaces one may bear its name and more."""
    return getattr(method, "__globals__", {}).get("__name__") == module


_LINEAR_STORAGE = "LANGGRAPH_RUST_LINEAR_STORAGE"
_STORING = frozenset(("put", "put_writes", "aput", "aput_writes"))
_ASYNC_METHODS = frozenset(("aget_tuple", "aput", "aput_writes"))
