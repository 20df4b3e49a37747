"""The configs of a quiet call: what it is given, and what is ambient for what it calls.

`merged` is what the ambient config and the given one are together. Of that, a tool's function may
ask for a copy, and another, with callbacks of its own, is ambient while it works (`child`).
"""

from __future__ import annotations

from typing import Any, cast

from langchain_core.runnables import config as configs
from langchain_core.runnables.config import ensure_config, patch_config

__all__ = ("ambient", "child", "copied", "merged", "own")

Config = dict[str, Any]

ambient = configs.var_child_runnable_config

_KEYS = frozenset(configs.CONFIG_KEYS)
_TRACED = ("model", "checkpoint_ns")
"""What langchain-core copies from `configurable` to the metadata."""


def own(config: Any) -> str | None:
    """Return why a config is none that calls here can take, or `None` if it is."""
    if config is not None and type(config) is not dict:
        return "the config is not a plain dict"
    return None


def merged(config: Config | None) -> Config:
    """Return the ambient config updated with `config`; what they hold is shared with them."""
    around = cast("Config | None", ambient.get())
    made: Config = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": configs.DEFAULT_RECURSION_LIMIT,
        "configurable": {},
    }
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
    if not _KEYS.issuperset(config):
        own_config = copied(config)
        return cast("Config", patch_config(cast("Any", own_config), callbacks=callbacks))
    made = config.copy()
    made["tags"] = made["tags"].copy()
    made["metadata"] = made["metadata"].copy()
    made["configurable"] = made["configurable"].copy()
    made["callbacks"] = callbacks
    made.pop("run_name", None)
    made.pop("run_id", None)
    return made
