"""The configs and contexts of quiet calls: what they are given, and what is ambient within them.

`merged` is what the ambient config and the given one are together. Of that, a tool's function may
ask for a copy, and another, with callbacks of its own, is ambient while it works (`child`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextvars import Context, ContextVar, copy_context
from types import CoroutineType, coroutine
from typing import Any, cast

from langchain_core.runnables import config as configs
from langchain_core.runnables.config import ensure_config, patch_config

__all__ = ("ambient", "bound", "child", "copied", "in_context", "merged")

Config = dict[str, Any]

ambient: ContextVar[Any] = cast("Any", configs.var_child_runnable_config)

_KEYS = frozenset(configs.CONFIG_KEYS)
_TRACED = ("model", "checkpoint_ns")
"""What langchain-core copies from `configurable` to the metadata."""


def merged(config: Config | None) -> Config:
    """Return the ambient config updated with `config`; what they hold is shared with them.

    Raises:
        AttributeError: They are no configs, as langchain-core says it.
    """
    around: Config | None = ambient.get()
    made: Config = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": configs.DEFAULT_RECURSION_LIMIT,
        "configurable": {},
    }
    if not around and not config:
        return made
    for source in (around, config):
        if source:
            for key, value in source.items():
                if value is not None:
                    made[key] = value
    configurable = made["configurable"]
    metadata = made["metadata"]
    if (
        not _KEYS.issuperset(made)
        or type(configurable) is not dict
        or type(metadata) is not dict
        or type(made["tags"]) is not list
    ):
        # Keys of one's own belong to `configurable`; and what is no config is refused.
        return cast("Config", ensure_config(cast("Any", config)))
    for key in _TRACED:
        if key in configurable and key not in metadata and isinstance(configurable[key], str):
            made["metadata"] = metadata = {**metadata, key: configurable[key]}
    return made


def bound(config: Config | None, bindings: list[Any]) -> Config:
    """Return what bound arguments, from the outermost in, make of a config.

    Each merges the ambient config with it, so that tags and metadata add up.
    """
    for binding in bindings:
        config = binding._merge_configs(config)
    return cast("Config", config)


def copied(config: Config) -> Config:
    """Return a config that shares nothing with a merged one, for whoever asked for it."""
    made = config.copy()
    made.pop("run_id", None)
    for key in configs.COPIABLE_KEYS:
        if made[key] is not None:
            made[key] = made[key].copy()
    return made


def child(config: Config, callbacks: Any) -> Config:
    """Return what is ambient within a call with a merged config.

    Args:
        config: The merged config.
        callbacks: The callback manager for what is called within.
    """
    if len(config) > 5 and not _KEYS.issuperset(config):
        own = cast("Any", copied(config))
        return cast("Config", patch_config(own, callbacks=callbacks))
    made = config.copy()
    made["tags"] = made["tags"].copy()
    made["metadata"] = made["metadata"].copy()
    made["configurable"] = made["configurable"].copy()
    made["callbacks"] = callbacks
    made.pop("run_name", None)
    made.pop("run_id", None)
    return made


def step_context(config: Config | None) -> tuple[Config, Context]:
    """Return the config of a step of a sequence that is called with `config`, and its context."""
    made = merged(config)
    context = copy_context()
    context.run(ambient.set, made)
    return made, context


@coroutine
def in_context(
    context: Context, function: Callable[..., Any], args: Any, kwargs: Any
) -> Generator[Any, Any, Any]:
    """Return what `await function(*args, **kwargs)` gives when all of its code runs in `context`.

    A task would do that, too, but takes two turns of the event loop. What is awaited, is awaited by
    the calling task, and what is thrown into that one arrives here.
    """
    run = context.run
    made = run(function, *args, **kwargs)
    coro: Any = made if type(made) is CoroutineType else _awaiting(made)
    step: Any = coro.send
    sent: Any = None
    while True:
        try:
            waited_for = run(step, sent)
        except StopIteration as done:
            return done.value
        finally:
            sent = None  # an exception would lead back to this frame
        try:
            step, sent = coro.send, (yield waited_for)
        except GeneratorExit:
            run(coro.close)
            raise
        except BaseException as error:
            step, sent = coro.throw, error


async def _awaiting(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
