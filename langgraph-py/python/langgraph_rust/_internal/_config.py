"""Making, merging and reading of runnable configs, without importing langchain-core.

A config is a dict with the keys of langchain-core's `RunnableConfig`. The config of whatever runs
at the moment is in a context variable, and there must be one such variable in the process:
langchain-core's own if it is loaded, else one made here, which langchain-core is given as soon as
it is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_rust._engine import TaskConfig
from langgraph_rust._internal._constants import (
    _CHECKPOINT_COORDINATE_KEYS,
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    NS_END,
    NS_SEP,
)
from langgraph_rust._internal._lazy.callbacks import is_callback_manager, is_silent
from langgraph_rust._internal._lazy.import_hooks import when_imported

if TYPE_CHECKING:
    from contextvars import Context

    from langchain_core.callbacks import (
        AsyncCallbackManager,
        BaseCallbackManager,
        CallbackManager,
        Callbacks,
    )
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import CheckpointMetadata

    ManagerT = TypeVar("ManagerT", bound=BaseCallbackManager)

_T = TypeVar("_T")

# --- The ambient config --------------------------------------------------------------------------

var_child_runnable_config: ContextVar[RunnableConfig | None]
"""The config of the running node or runnable; `None` outside of any."""


def config_var() -> ContextVar[RunnableConfig | None]:
    """Return the context variable that holds the ambient config."""
    return var_child_runnable_config


def ambient_config() -> RunnableConfig | None:
    """Return the config of the running node or runnable; `None` outside of any.

    A node that does not ask for its config gets one only now.
    """
    config = var_child_runnable_config.get()
    if type(config) is TaskConfig:
        config = config.plain()
        var_child_runnable_config.set(config)
    return config


def run_in_config_context(config: RunnableConfig, func: Callable[..., _T], *args: Any) -> _T:
    """Call `func(*args)` in a copy of the current context whose ambient config is `config`."""
    return context_with_config(config).run(func, *args)


def context_with_config(config: RunnableConfig) -> Context:
    """Return a copy of the current context whose ambient config is `config`."""
    context = copy_context()
    context.run(var_child_runnable_config.set, config)
    return context


def _share_config_var() -> ContextVar[RunnableConfig | None]:
    name = "langchain_core.runnables.config"
    loaded = sys.modules.get(name)
    if loaded is not None and hasattr(loaded, "var_child_runnable_config"):
        return loaded.var_child_runnable_config
    ours: ContextVar[RunnableConfig | None] = ContextVar("child_runnable_config", default=None)

    def adopt(module: ModuleType) -> None:
        module.var_child_runnable_config = ours  # type: ignore[attr-defined]

    when_imported(name, adopt)
    return ours


var_child_runnable_config = _share_config_var()

# --- Merging -------------------------------------------------------------------------------------

CONFIG_KEYS = (
    "tags",
    "metadata",
    "callbacks",
    "run_name",
    "max_concurrency",
    "recursion_limit",
    CONF,
    "run_id",
)
"""The keys of a config. `ensure_config` moves all others into `configurable`."""

_COPIED_KEYS = frozenset(("tags", "metadata", "callbacks", CONF))
"""Keys whose values belong to one config, and are copied into a derived one."""

_METADATA_FROM_CONFIGURABLE = (
    "thread_id",
    "checkpoint_id",
    "checkpoint_ns",
    "task_id",
    "run_id",
    "assistant_id",
    "graph_id",
)
"""Keys of `configurable` that every config's metadata repeats."""


class UnchosenRecursionLimit(int):
    """A recursion limit that nobody chose.

    A class rather than one known object, since configs are copied and pickled on their way, and
    an explicit limit of the same size must still win over another limit.
    """


DEFAULT_RECURSION_LIMIT = UnchosenRecursionLimit(
    os.getenv("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "10007")
)
"""Steps a run may take unless its config says otherwise."""

DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT = int(
    os.getenv("LANGGRAPH_DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT", "5000")
)
"""Steps after which a delta channel stores a snapshot, however few its updates were."""


def ensure_config(*configs: RunnableConfig | None) -> RunnableConfig:
    """Return a complete config: defaults, then the ambient config, then `configs` in order.

    `configurable`, `metadata`, `tags` and `callbacks` are merged, other keys replaced. A config
    that addresses checkpoints of its own (a thread, namespace or checkpoint id) starts from an
    empty `configurable` instead of the ambient one: what it runs is no part of the ambient task.

    Args:
        *configs: Configs from low to high precedence; `None` is skipped.

    Returns:
        A new dict, with new containers.
    """
    given: list[Any] = [config for config in configs if config is not None]
    result: dict[str, Any] = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": DEFAULT_RECURSION_LIMIT,
        CONF: {},
    }
    inherited_tags: Sequence[str] = ()
    ambient: Any = ambient_config()
    if ambient:
        for key, value in ambient.items():
            if _is_not_empty(value):
                result[key] = value.copy() if key in _COPIED_KEYS else value
        inherited_tags = tuple(result["tags"])
        if result[CONF] and any(map(_addresses_checkpoint, given)):
            result[CONF] = {}
    for config in given:
        _add_config(result, config, inherited_tags)
    _repeat_ids_in_metadata(result)
    return result  # type: ignore[return-value]


def _addresses_checkpoint(config: dict[str, Any]) -> bool:
    conf = config.get(CONF)
    return bool(conf) and any(_is_not_empty(conf.get(key)) for key in _CHECKPOINT_COORDINATE_KEYS)


def _add_config(
    result: dict[str, Any], config: dict[str, Any], inherited_tags: Sequence[str]
) -> None:
    """Merge one config into `result`."""
    extra = {}
    for key, value in config.items():
        if not _is_not_empty(value):
            continue
        if key not in CONFIG_KEYS:
            extra[key] = value
        elif key == CONF:
            result[CONF] = {**result[CONF], **value}
        elif key == "metadata":
            result["metadata"] = _merge_metadata(result["metadata"], value)
        elif key == "callbacks":
            result["callbacks"] = _merge_callbacks(result["callbacks"], value)
        elif key == "tags":
            # A subgraph gets its parent's tags both as an argument and as the ambient config.
            own = [tag for tag in value if tag not in inherited_tags]
            result["tags"] = [*result["tags"], *own]
        else:
            result[key] = value
    result[CONF].update(extra)


def _repeat_ids_in_metadata(config: dict[str, Any]) -> None:
    conf, metadata = config[CONF], config["metadata"]
    for key in _METADATA_FROM_CONFIGURABLE if conf else ():
        value = conf.get(key)
        if value and key not in metadata:
            metadata[key] = value


def merge_configs(*configs: RunnableConfig | None) -> RunnableConfig:
    """Merge configs without adding defaults, apart from an empty `configurable`.

    Later ones win. `configurable`, `metadata`, `tags` and `callbacks` are merged; empty values and
    a recursion limit that `ensure_config` filled in change nothing.
    """
    base: dict[str, Any] = {}
    for config in configs:
        for key, value in (config or {}).items():
            if not value:
                continue
            if key == "metadata":
                base[key] = _merge_metadata(base.get(key), value)  # type: ignore[arg-type]
            elif key == "callbacks":
                base[key] = _merge_callbacks(base.get(key), value)  # type: ignore[arg-type]
            elif key == "tags" and base.get(key):
                base[key] = [*base[key], *value]  # type: ignore[misc]
            elif key == CONF and base.get(key):
                base[key] = {**base[key], **value}  # type: ignore[dict-item]
            elif not isinstance(value, UnchosenRecursionLimit):
                base[key] = value
    base.setdefault(CONF, {})
    return base  # type: ignore[return-value]


def _merge_metadata(
    base: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Merge two metadata dicts into a new one; later values win.

    Packages each report their version in `lc_versions`, so that one key is merged a level deeper.
    """
    merged = {key: _copy_mapping(value) for key, value in (base or {}).items()}
    for key, value in (new or {}).items():
        before = merged.get(key) if key == "lc_versions" else None
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[key] = {**before, **value}
        else:
            merged[key] = _copy_mapping(value)
    return merged


def _copy_mapping(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _merge_callbacks(base: Callbacks, new: Callbacks) -> Callbacks:
    """Merge two `callbacks` values, each `None`, a list of handlers or a manager.

    Raises:
        NotImplementedError: One of them is something else.
    """
    if new is None or (base is not None and is_silent(new)):
        return base
    if base is None:
        return new.copy() if isinstance(new, list) or is_callback_manager(new) else new
    if isinstance(new, list) and isinstance(base, list):
        return base + new
    if isinstance(new, list) and is_callback_manager(base):
        return _with_handlers(base, new)
    if is_callback_manager(new) and isinstance(base, list):
        return _with_handlers(new, base)
    if is_callback_manager(new) and is_callback_manager(base):
        return base.merge(new)
    raise NotImplementedError(f"Unsupported callback types: {type(base)}, {type(new)}")


def _with_handlers(manager: Any, handlers: Sequence[Any]) -> Any:
    manager = manager.copy()
    for handler in handlers:
        manager.add_handler(handler, inherit=True)
    return manager


def _is_not_empty(value: Any) -> bool:
    """Tell whether a config value says anything; empty strings, zero and `False` do."""
    if isinstance(value, (list, tuple, dict)):
        return len(value) > 0
    return value is not None


# --- Patching ------------------------------------------------------------------------------------


def patch_config(
    config: RunnableConfig | None,
    *,
    callbacks: Callbacks = None,
    recursion_limit: int | None = None,
    max_concurrency: int | None = None,
    run_name: str | None = None,
    configurable: dict[str, Any] | None = None,
) -> RunnableConfig:
    """Return a copy of `config` with the given values; `configurable` is merged.

    New callbacks belong to another run, so they also remove the name and id of the old one.
    """
    patched: dict[str, Any] = {} if config is None else {**config}
    if callbacks is not None:
        patched["callbacks"] = callbacks
        patched.pop("run_name", None)
        patched.pop("run_id", None)
    if recursion_limit is not None:
        patched["recursion_limit"] = recursion_limit
    if max_concurrency is not None:
        patched["max_concurrency"] = max_concurrency
    if run_name is not None:
        patched["run_name"] = run_name
    if configurable is not None:
        patched[CONF] = {**patched.get(CONF, {}), **configurable}
    return patched  # type: ignore[return-value]


def patch_configurable(config: RunnableConfig | None, patch: dict[str, Any]) -> RunnableConfig:
    """Return a copy of `config` with `patch` merged into its `configurable`."""
    if config is None:
        return {CONF: patch}
    return {**config, CONF: {**config[CONF], **patch} if CONF in config else patch}


def patch_checkpoint_map(
    config: RunnableConfig | None, metadata: CheckpointMetadata | None
) -> RunnableConfig:
    """Add the `checkpoint_map` to a config that addresses a subgraph's checkpoint.

    Args:
        config: Addresses the checkpoint by namespace and id.
        metadata: That checkpoint's metadata; without parents, the config is returned as it is.
    """
    parents = metadata.get("parents") if metadata else None
    if config is None or not parents:
        return config  # type: ignore[return-value]
    conf = config[CONF]
    checkpoint_map = {
        **parents,
        conf[CONFIG_KEY_CHECKPOINT_NS]: conf[CONFIG_KEY_CHECKPOINT_ID],
    }
    return patch_configurable(config, {CONFIG_KEY_CHECKPOINT_MAP: checkpoint_map})


def recast_checkpoint_ns(ns: str) -> str:
    """Strip task ids and call numbers from a namespace: `"a:id|1|b:id"` becomes `"a|b"`."""
    return NS_SEP.join(
        level.partition(NS_END)[0] for level in ns.split(NS_SEP) if not level.isdigit()
    )


def filter_to_user_tags(tags: Sequence[str] | None) -> list[str] | None:
    """Drop the tags that number the steps of a sequence; `None` if no others remain."""
    return [tag for tag in tags or () if not tag.startswith("seq:step")] or None


# --- Callbacks -----------------------------------------------------------------------------------


def get_callback_manager_for_config(
    config: RunnableConfig, tags: Sequence[str] | None = None
) -> CallbackManager:
    """Return the callback manager for a sync run with this config, its tags and its metadata.

    Args:
        config: Its `callbacks` may already be a manager, which is then extended and returned.
        tags: Further tags of this run.
    """
    from langchain_core.callbacks.manager import CallbackManager

    return _manager_for_config(CallbackManager, config, tags)


def get_async_callback_manager_for_config(
    config: RunnableConfig, tags: Sequence[str] | None = None
) -> AsyncCallbackManager:
    """Return the callback manager for an async run with this config, its tags and its metadata.

    Args:
        config: Its `callbacks` may already be an async manager, which is then extended and
        returned. tags: Further tags of this run.
    """
    from langchain_core.callbacks.manager import AsyncCallbackManager

    return _manager_for_config(AsyncCallbackManager, config, tags)


def _manager_for_config(
    manager_class: type[ManagerT], config: RunnableConfig, tags: Sequence[str] | None
) -> ManagerT:
    config_tags = config.get("tags")
    all_tags = config_tags if tags is None else [*(config_tags or ()), *tags]
    callbacks = config.get("callbacks")
    if is_silent(callbacks):
        # Whatever listens now came after that manager, whose parent run nobody has seen.
        callbacks = None
    if not isinstance(callbacks, manager_class):
        return manager_class.configure(  # type: ignore[attr-defined]
            inheritable_callbacks=callbacks,
            inheritable_tags=all_tags,
            inheritable_metadata=config.get("metadata"),
            langsmith_inheritable_metadata=_get_tracing_metadata_defaults(config),
        )
    if all_tags:
        callbacks.add_tags(all_tags)
    if metadata := config.get("metadata"):
        callbacks.add_metadata(metadata)
    return callbacks


_SECRET_WORDS = ("key", "token", "secret", "password", "auth")


def _get_tracing_metadata_defaults(config: RunnableConfig) -> dict[str, Any] | None:
    """Return the scalars of `configurable` that tracers record: none private, none secret."""
    conf = config.get(CONF) or {}
    return {key: value for key, value in conf.items() if _is_traceable(key, value)} or None


def _is_traceable(key: str, value: Any) -> bool:
    if key.startswith("__") or not isinstance(value, (str, int, float, bool)):
        return False
    folded = key.casefold()
    return not any(word in folded for word in _SECRET_WORDS)
