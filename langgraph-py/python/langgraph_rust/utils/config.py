"""Old import path of the config helpers."""

from __future__ import annotations

from langgraph_rust._internal._config import ensure_config, patch_configurable
from langgraph_rust.config import get_config, get_store

__all__ = ("ensure_config", "get_config", "get_store", "patch_configurable")
