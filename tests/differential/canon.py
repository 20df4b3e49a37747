"""Transcripts in a comparable form: random ids numbered, chance order undone."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from itertools import groupby
from typing import Any

Order = Callable[[Any], tuple[str, str]]

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b[0-9a-f]{32}\b")
_NUMBER = re.compile(r"<\d+>")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(\+00:00)?")
_CLOCK = "node_first_attempt_time"
_VERSION = re.compile(r"^(\d{32})\.\d[\d.e-]*$")


def canonical(transcript: list[Any]) -> list[Any]:
    """The transcript with everything removed that may differ between two runs of one side."""
    still = [_sorted_mappings(_untimed(record)) for record in transcript]
    order = _order(still)
    return numbered([_settle(record, order) for record in still])


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
    """Times removed, the random part of channel versions, and what else is chance."""

    def still(text: str) -> str:
        version = _VERSION.match(text)
        return f"v{int(version[1])}" if version else _TIME.sub("<time>", text)

    timeless = _without_chance(_mapped(record, still))
    if isinstance(timeless, dict) and "chunks" in timeless:
        timeless["chunks"] = _without_notes(timeless["chunks"])
    return timeless


def _without_chance(thing: Any) -> Any:
    """Times that are numbers removed, and what a cancellation says of who caused it."""
    if isinstance(thing, list):
        return [_without_chance(item) for item in thing]
    if not isinstance(thing, dict):
        return thing
    inside = {key: _without_chance(item) for key, item in thing.items()}
    if isinstance(inside.get(_CLOCK), float):
        inside[_CLOCK] = "<time>"
    if inside.get("type") == "CancelledError":
        inside["args"] = []
    return inside


def _order(transcript: list[Any]) -> Order:
    """A sort key that tells things apart whose text is the same but for random ids.

    Two packets for one node differ in their tasks' ids only, wherever they begin, and in more where
    they end: an id stands for the places in which the transcript has it.
    """
    places: dict[str, list[str]] = {}
    for index, record in enumerate(transcript):
        _note_places(record, index, places)
    names = {i: str(zlib.crc32("".join(sorted(found)).encode())) for i, found in places.items()}

    def key(thing: Any) -> tuple[str, str]:
        named = _mapped(thing, lambda text: _ID.sub(lambda found: names.get(found[0], "?"), text))
        return masked(thing), json.dumps(named)

    return key


def _note_places(thing: Any, index: int, places: dict[str, list[str]]) -> None:
    """Write down for each id the record and what stands around it there."""
    if not isinstance(thing, (dict, list)):
        return
    around = None
    for key, item in thing.items() if isinstance(thing, dict) else enumerate(thing):
        for found in _ID.findall(item) if isinstance(item, str) else ():
            around = around or masked(thing)
            places.setdefault(found, []).append(f"{index} {key} {around}")
        _note_places(item, index, places)


def _settle(record: Any, order: Order) -> Any:
    if not isinstance(record, dict):
        return record
    settled = dict(record)
    if "chunks" in settled:
        settled["chunks"] = _sorted_chunks(settled["chunks"], order)
    for name in ("seen", "heard"):
        if name in settled:
            settled[name] = sorted(settled[name], key=order)
    if "stored" in settled:
        found = [_sorted_writes(checkpoint, order) for checkpoint in settled["stored"]]
        settled["stored"] = _sorted_namespaces(found, order)
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


def _sorted_chunks(chunks: list[dict[str, Any]], order: Order) -> list[Any]:
    """Chunks between two settled ones in an order of their own."""
    ordered: list[Any] = []
    for settled, run in groupby(chunks, key=lambda item: item["settled"]):
        found = [item["chunk"] for item in run]
        ordered += found if settled else sorted(found, key=order)
    return ordered


def _sorted_namespaces(checkpoints: list[Any], order: Order) -> list[Any]:
    """Checkpoints by namespace, which the saver has in the order in which they came to be."""
    groups: dict[str, list[Any]] = {}
    for checkpoint in checkpoints:
        namespace = checkpoint["config"]["configurable"]["checkpoint_ns"]
        groups.setdefault(namespace, []).append(checkpoint)
    return [item for group in sorted(groups.values(), key=order) for item in group]


def _sorted_writes(checkpoint: dict[str, Any], order: Order) -> dict[str, Any]:
    fields = dict(checkpoint["<CheckpointTuple>"])
    writes = fields["pending_writes"]
    fields["pending_writes"] = sorted(writes, key=order) if writes else writes
    return fields


def _mapped(thing: Any, change: Any) -> Any:
    if isinstance(thing, str):
        return change(thing)
    if isinstance(thing, list):
        return [_mapped(item, change) for item in thing]
    if isinstance(thing, dict):
        return {change(key): _mapped(item, change) for key, item in thing.items()}
    return thing
