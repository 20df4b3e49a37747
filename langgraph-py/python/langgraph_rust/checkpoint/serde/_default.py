"""The serializer that savers and caches use unless told otherwise, built when first asked for."""

from __future__ import annotations

import sys
from typing import Any

_shared: Any = None


def default_serde() -> Any:
    """Return the one `JsonPlusSerializer` that everything without its own serializer shares."""
    global _shared
    if _shared is None:
        from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

        _shared = JsonPlusSerializer()
    return _shared


class DefaultSerde:
    """Class attribute that is the shared serializer until an instance or subclass sets one."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return default_serde()


def is_strict() -> bool:
    """Whether what is stored is read strictly: always, but for drop-in mode as upstream's is."""
    dropin = sys.modules.get("langgraph_rust._dropin")
    return not is_drop_in() or dropin is None or dropin.is_strict()


def is_drop_in() -> bool:
    """Whether this package stands in for upstream, in whose words it is asked, then."""
    dropin = sys.modules.get("langgraph_rust._dropin")
    return dropin is not None and dropin.is_installed()
