"""Checkpoints and writes as rows, and all rows of a superstep as one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg.adapt import PyFormat
from psycopg.types.json import Jsonb

from langgraph_rust.checkpoint._writing.writer import sign
from langgraph_rust.checkpoint.base import (
    Checkpoint,
    CheckpointMetadata,
    get_serializable_checkpoint_metadata,
)
from langgraph_rust.checkpoint.postgres import _sql
from langgraph_rust.checkpoint.postgres._arrays import Blobs, Numbers, Texts
from langgraph_rust.checkpoint.postgres._plans import Batch
from langgraph_rust.checkpoint.postgres._single_writer import Guard
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

Row = tuple[Any, ...]


def as_json(value: Any) -> Jsonb:
    """Encode now what psycopg would encode when it has a connection."""
    dumper = psycopg.adapters.get_dumper(Jsonb, PyFormat.TEXT)(Jsonb)
    return Jsonb(dumper.dump(Jsonb(value)), dumps=_as_it_is)


def _as_it_is(encoded: Any) -> Any:
    return encoded


# --- checkpoints ---


class Split(NamedTuple):
    """A checkpoint, with the values that have rows of their own taken out of it."""

    checkpoint: dict[str, Any]
    blobs: dict[str, Any]


def split(checkpoint: Checkpoint) -> Split:
    """Take out what a checkpoint's own row does not hold."""
    inline: dict[str, Any] = {}
    blobs: dict[str, Any] = {}
    for channel, value in checkpoint["channel_values"].items():
        if isinstance(value, _DeltaSnapshot):
            inline[channel] = True
        elif _fits_json(value):
            inline[channel] = value
            continue
        blobs[channel] = value
    return Split({**checkpoint, "channel_values": inline}, blobs)


def _fits_json(value: Any) -> bool:
    """Whether a value stays within its checkpoint, which is JSON as Postgres has it."""
    if isinstance(value, str):
        return "\0" not in value
    return value is None or (isinstance(value, int | float) and isfinite(value))


def checkpoint_row(
    config: RunnableConfig, checkpoint: Mapping[str, Any], metadata: CheckpointMetadata
) -> Row:
    """Encode a checkpoint whose large values were taken out."""
    configurable = config["configurable"]
    return (
        str(configurable["thread_id"]),
        configurable["checkpoint_ns"],
        checkpoint["id"],
        configurable.get("checkpoint_id"),
        as_json(checkpoint),
        as_json(sign(get_serializable_checkpoint_metadata(config, metadata), configurable)),
    )


def address_of(config: RunnableConfig, checkpoint_id: str) -> RunnableConfig:
    """Return the config that names a checkpoint of the same thread and namespace."""
    configurable = config["configurable"]
    return {
        "configurable": {
            "thread_id": configurable["thread_id"],
            "checkpoint_ns": configurable["checkpoint_ns"],
            "checkpoint_id": checkpoint_id,
        }
    }


def place(config: RunnableConfig) -> tuple[str, str, str]:
    """Return thread, namespace and checkpoint of a config that must name them.

    Raises:
        KeyError: it does not.
    """
    configurable = config["configurable"]
    thread_id, checkpoint_ns = str(configurable["thread_id"]), configurable["checkpoint_ns"]
    return thread_id, checkpoint_ns, configurable["checkpoint_id"]


# --- writes ---


class WriteRows(NamedTuple):
    """A task's writes, as rows that `BasePostgresSaver._dump_writes` makes."""

    replaces: bool
    """Whether they take the place of earlier ones; otherwise those stay."""
    rows: Sequence[Row]


_KEY = slice(0, 4)
_IDX = 5
_VALUE = slice(6, 9)


def settle(groups: Iterable[WriteRows]) -> tuple[list[Row], list[Row]]:
    """Return what is left to do when several groups were stored one after the other.

    One statement cannot touch a row twice.

    Returns:
        Rows that stay away where there is one already, and rows that replace it.
    """
    keep: dict[Row, Row] = {}
    replace: dict[Row, Row] = {}
    for group in groups:
        for row in group.rows:
            key = (*row[_KEY], row[_IDX])
            before = replace.get(key) or keep.get(key)
            if not group.replaces:
                if before is None:
                    keep[key] = row
                continue
            keep.pop(key, None)
            replace[key] = (*before[: _VALUE.start], *row[_VALUE]) if before else row
    return list(keep.values()), list(replace.values())


# --- one statement ---

_WRITE_TYPES = (Texts, Texts, Texts, Texts, Texts, Numbers, Texts, Texts, Blobs)
_BLOB_TYPES = (Texts, Texts, Texts, Texts, Texts, Blobs)


LARGEST = 256 * 1024 * 1024
"""Bytes of values that are sent in one statement. An array can hold less than 1 GiB."""


def fits_one(groups: Iterable[WriteRows], blobs: Iterable[Row]) -> bool:
    """Tell whether all rows can be sent in one statement."""
    rows = chain(blobs, *(group.rows for group in groups))
    return sum(len(row[-1] or b"") for row in rows) <= LARGEST


def joined(
    keep: Sequence[Row],
    replace: Sequence[Row],
    blobs: Sequence[Row] = (),
    checkpoint: Row | None = None,
    guard: Guard | None = None,
) -> Batch | None:
    """Return the statement that stores all of it, and its one row; `None` if that is nothing.

    Args:
        keep: Writes that leave earlier ones in place.
        replace: Writes that take their place.
        blobs: Values.
        checkpoint: The checkpoint.
        guard: Whether it may be stored. The statement then tells it by how many rows it has
            stored, or given: one or none.
    """
    parts = bool(keep), bool(replace), bool(blobs), checkpoint is not None
    if not any(parts):
        return None
    columns = [
        kind(column)
        for rows, types in ((keep, _WRITE_TYPES), (replace, _WRITE_TYPES), (blobs, _BLOB_TYPES))
        if rows
        for kind, column in zip(types, zip(*rows, strict=True), strict=True)
    ]
    if guard is None:
        return _joined_sql(*parts), [[*columns, *(checkpoint or ())]]
    return _guarded_sql(guard.sql, *parts), [[*guard.parameters, *columns, *(checkpoint or ())]]


@lru_cache
def _joined_sql(keeps: bool, replaces: bool, has_blobs: bool, has_checkpoint: bool) -> str:
    """Few texts, so that each is prepared once, however many rows there are."""
    parts = _parts(keeps, replaces, has_blobs, "")
    if has_checkpoint:
        parts.append(_sql.UPSERT_CHECKPOINTS_SQL)
    return _with(parts)


@lru_cache
def _guarded_sql(
    guard: str, keeps: bool, replaces: bool, has_blobs: bool, has_checkpoint: bool
) -> str:
    parts = _parts(keeps, replaces, has_blobs, ", guard")
    last = _sql.GUARDED_CHECKPOINTS_SQL if has_checkpoint else "SELECT may FROM guard"
    return _with([*parts, last], f"guard AS MATERIALIZED ({guard})")


def _parts(keeps: bool, replaces: bool, has_blobs: bool, also_from: str) -> list[str]:
    write = "checkpoint_writes", _sql.WRITE_COLUMNS
    parts: list[str] = []
    if keeps:
        parts.append(_from_arrays(*write, also_from, _sql.KEEP_WRITES))
    if replaces:
        parts.append(_from_arrays(*write, also_from, _sql.REPLACE_WRITES))
    if has_blobs:
        blob = "checkpoint_blobs", _sql.BLOB_COLUMNS
        parts.append(_from_arrays(*blob, also_from, _sql.KEEP_BLOBS))
    return parts


def _with(parts: Sequence[str], *before: str) -> str:
    *first, last = parts
    named = [*before, *(f"part{n} AS ({part})" for n, part in enumerate(first))]
    return f"WITH {', '.join(named)} {last}" if named else last


def _from_arrays(table: str, columns: str, also_from: str, on_conflict: str) -> str:
    arrays = ", ".join(["%s"] * len(columns.split(",")))
    given = f"unnest({arrays}) AS given{also_from}"
    return f"INSERT INTO {table} ({columns}) SELECT given.* FROM {given} {on_conflict}"
