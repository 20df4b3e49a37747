"""Which types and methods may be called while decoding msgpack.

A stored value can name any importable callable, so whoever can write to the database could have it
called. `LANGGRAPH_STRICT_MSGPACK=true` limits decoding to `SAFE_MSGPACK_TYPES` and whatever a
serializer was told to allow. Modules are spelled as they are stored, with upstream's names.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

STRICT_MSGPACK_ENABLED: bool = os.getenv("LANGGRAPH_STRICT_MSGPACK", "").lower() in (
    "1",
    "true",
    "yes",
)
"""Whether serializers made without an explicit allowlist refuse unlisted types."""

_SENTINEL: Any = object()

_IP_TYPES = ("Address", "Interface", "Network")
_PATH_TYPES = ("Path", "PosixPath", "WindowsPath")

_SAFE_NAMES: dict[str, tuple[str, ...]] = {
    "builtins": ("set", "frozenset"),
    "collections": ("deque",),
    "datetime": ("datetime", "date", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "ipaddress": tuple(f"IPv{version}{kind}" for version in (4, 6) for kind in _IP_TYPES),
    "pathlib": _PATH_TYPES,
    # Where Python 3.13 defines them.
    "pathlib._local": _PATH_TYPES,
    "re": ("compile",),
    "uuid": ("UUID",),
    "zoneinfo": ("ZoneInfo",),
    **{
        f"langchain_core.messages.{module}": (name, f"{name}Chunk")
        for module, name in (
            ("ai", "AIMessage"),
            ("base", "BaseMessage"),
            ("chat", "ChatMessage"),
            ("function", "FunctionMessage"),
            ("human", "HumanMessage"),
            ("system", "SystemMessage"),
            ("tool", "ToolMessage"),
        )
    },
    "langchain_core.messages.modifier": ("RemoveMessage",),
    "langchain_core.documents.base": ("Document",),
    "langgraph.store.base": ("Item", "GetOp"),
    "langgraph.types": (
        "Command",
        "Interrupt",
        "Overwrite",
        "PregelTask",
        "Send",
        "StateSnapshot",
        "TimeoutPolicy",
    ),
}

SAFE_MSGPACK_TYPES: frozenset[tuple[str, ...]] = frozenset(
    (module, name) for module, names in _SAFE_NAMES.items() for name in names
)
"""`(module, name)` pairs that every serializer may rebuild: calling them has no side effects."""

SAFE_MSGPACK_METHODS: frozenset[tuple[str, str, str]] = frozenset(
    {("datetime", "datetime", "fromisoformat")}
)
"""`(module, class, method)` triples that may be called to rebuild a value; there is no override."""

AllowedMsgpackModules = Iterable[tuple[str, ...] | type]
"""Types a serializer may rebuild: `(module, name)` pairs, classes, or a mix of the two."""
