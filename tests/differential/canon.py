"""Transcripts in a comparable form: random ids numbered, chance order undone."""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b[0-9a-f]{32}\b")
_NUMBER = re.compile(r"<\d+>")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00)?")
_VERSION = re.compile(r"^(\d{32})\.0\.\d+$")


def canonical(transcript: list[Any]) -> list[Any]:
    """The transcript with everything removed that may differ between two runs of one side."""
    return numbered([_settle(_untimed(record)) for record in transcript])


def numbered(transcript: Any) -> Any:
    """Ids replaced by their number in the order of appearance."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"<{len(numbers) + 1}>")

    return _mapped(transcript, lambda text: _ID.sub(number, text))


def masked(thing: Any) -> str:
    """Everything but ids, numbered or not, as text."""
    return json.dumps(_mapped(thing, lambda text: _NUMBER.sub("?", _ID.sub("?", text))))


def _untimed(record: Any) -> Any:
    """Times and the random part of channel versions removed."""

    def still(text: str) -> str:
        version = _VERSION.match(text)
        return f"v{int(version[1])}" if version else _TIME.sub("<time>", text)

    return _mapped(record, still)


def _settle(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    settled = _sorted_mappings(record)
    if "chunks" in settled:
        settled["chunks"] = _sorted_chunks(_without_notes(settled["chunks"]))
    for name in ("seen", "heard"):
        if name in settled:
            settled[name] = sorted(settled[name], key=masked)
    if "stored" in settled:
        settled["stored"] = [_sorted_writes(checkpoint) for checkpoint in settled["stored"]]
    return settled


def _sorted_mappings(thing: Any) -> Any:
    """Keys in order where upstream has them in the order of a set: channels, and configs' keys."""
    if isinstance(thing, list):
        return [_sorted_mappings(item) for item in thing]
    if not isinstance(thing, dict):
        return thing
    inside = {key: _sorted_mappings(item) for key, item in thing.items()}
    if inside.keys() & {"checkpoint_ns", "thread_id"}:
        return dict(sorted(inside.items()))
    if "channel_versions" in inside:
        for name in ("channel_values", "channel_versions"):
            inside[name] = dict(sorted(inside[name].items()))
        seen = inside["versions_seen"].items()
        inside["versions_seen"] = {node: dict(sorted(v.items())) for node, v in sorted(seen)}
    return inside


def _without_notes(thing: Any) -> Any:
    """Notes on errors in chunks removed: graphs further out may add theirs before anybody looks."""
    if isinstance(thing, list):
        return [_without_notes(item) for item in thing]
    if isinstance(thing, dict):
        return {key: _without_notes(item) for key, item in thing.items() if key != "notes"}
    return thing


def _sorted_chunks(chunks: list[dict[str, Any]]) -> list[Any]:
    """Chunks between two settled ones in an order of their own."""
    ordered: list[Any] = []
    for settled, run in groupby(chunks, key=lambda item: item["settled"]):
        found = [item["chunk"] for item in run]
        ordered += found if settled else sorted(found, key=masked)
    return ordered


def _sorted_writes(checkpoint: dict[str, Any]) -> dict[str, Any]:
    fields = dict(checkpoint["<CheckpointTuple>"])
    writes = fields["pending_writes"]
    fields["pending_writes"] = sorted(writes, key=masked) if writes else writes
    return fields


def _mapped(thing: Any, change: Any) -> Any:
    if isinstance(thing, str):
        return change(thing)
    if isinstance(thing, list):
        return [_mapped(item, change) for item in thing]
    if isinstance(thing, dict):
        return {change(key): _mapped(item, change) for key, item in thing.items()}
    return thing
