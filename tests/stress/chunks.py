"""Whether what a stream shows is stored already, as durability `sync` promises."""

from __future__ import annotations

from typing import Any


def unstored(saver: Any, outcome: Any, chunk: Any) -> list[str]:
    """What the chunk shows that the saver does not have yet."""
    mode, payload = _parts(outcome.run, chunk)
    config = {"configurable": {"thread_id": outcome.ledger.thread_id, "checkpoint_ns": ""}}
    if mode == "checkpoints":
        shown = payload["config"]["configurable"]
        if shown.get("checkpoint_ns"):
            return []
        found = saver.get_tuple({"configurable": shown | {"checkpoint_ns": ""}})
        return [] if found else ["checkpoints"]
    if mode not in ("values", "updates"):
        return []
    found = saver.get_tuple(config)
    stored = _stored(found)
    shown = _shown(mode, payload)
    missing = [item for item in shown if item not in stored]
    return [mode] if missing else []


def _parts(run: dict[str, Any], chunk: Any) -> tuple[str | None, Any]:
    """Mode and content of a chunk of the graph itself; mode `None` for one of a subgraph."""
    if run["subgraphs"]:
        namespace, *rest = chunk
        if namespace:
            return None, None
        chunk = tuple(rest)
    # One mode in a list still makes pairs.
    return chunk[0], chunk[1]


def _shown(mode: str, payload: Any) -> list[Any]:
    if not isinstance(payload, dict):
        return []
    if mode == "values":
        return list(payload.get("log") or ())
    updates = [update for name, update in payload.items() if not name.startswith("__")]
    logs = [update.get("log") or () for update in updates if isinstance(update, dict)]
    return [item for log in logs for item in log]


def _stored(found: Any) -> list[Any]:
    """The log that is stored, and what tasks added to it since."""
    if found is None:
        return []
    log = list(found.checkpoint["channel_values"].get("log") or ())
    for _, channel, value in found.pending_writes or ():
        if channel == "log":
            log += value
    return log
