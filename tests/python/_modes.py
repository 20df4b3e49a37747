"""Serializers as they are in drop-in mode, without it."""

from __future__ import annotations

from typing import Any
from unittest import mock

from langgraph_rust.checkpoint.serde import jsonplus


def as_in_drop_in_mode(**arguments: Any) -> jsonplus.JsonPlusSerializer:
    """Return a `JsonPlusSerializer` that reads as upstream's does."""
    with mock.patch.object(jsonplus, "is_strict", lambda: False):
        return jsonplus.JsonPlusSerializer(**arguments)
