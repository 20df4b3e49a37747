"""Checkpoints in a Postgres database: values stored by version, beside their checkpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from langgraph_rust._storage.database import (
    FORMAT,
    REST,
    Completed,
    Drops,
    Node,
    Sealed,
    Size,
    Space,
    Tree,
    Unusable,
)
from langgraph_rust._storage.replay import Write

_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

_NO_LIST = b"\xc1"
"""In the place of a value that is none: what no value begins with."""

_LOOKS = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

# Nobody stores a checkpoint while it is held; whoever waits for it has others wait.
_LOCK = "LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE"
_PATIENT = "SET LOCAL lock_timeout = '5s'"

# Where rows are, and which transactions made them: others whenever a row is stored or changed.
_MARK = " UNION ALL ".join(
    f"SELECT md5(string_agg(ctid::text || xmin::text, ' ' ORDER BY ctid)) AS mark "
    f"FROM {table} WHERE thread_id = %(thread)s"
    for table in _TABLES
)

_NODES = """
SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id,
    metadata ->> 'source' AS source, metadata -> 'step' AS step
FROM checkpoints WHERE thread_id = %s ORDER BY checkpoint_ns, checkpoint_id
"""

_CONTENT = """
SELECT checkpoint -> 'v' AS format, checkpoint -> 'channel_versions' AS versions,
    ARRAY(
        SELECT key FROM jsonb_each(checkpoint -> 'channel_values') WHERE value <> 'null'
    ) AS inline
FROM checkpoints WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s
"""

# Of what is no list, one byte.
_VALUES = """
SELECT b.* FROM unnest(%s::text[], %s::text[]) AS asked(channel, version)
CROSS JOIN LATERAL (
    SELECT channel, version, type, CASE
        WHEN substring(blob FOR 1) BETWEEN '\\x90' AND '\\x9f' THEN blob
        WHEN substring(blob FOR 1) IN ('\\xdc', '\\xdd') THEN blob
        ELSE substring(blob FOR 1)
    END AS blob
    FROM checkpoint_blobs
    WHERE thread_id = %s AND checkpoint_ns = %s
        AND channel = asked.channel AND version = asked.version
    LIMIT 1
) AS b
"""

_WRITES = """
SELECT channel, task_path, task_id, idx, type, blob FROM checkpoint_writes
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s
ORDER BY task_path COLLATE "C", task_id COLLATE "C", idx
"""

_SIZES = """
SELECT checkpoint_ns, '' AS channel, count(*) AS values,
    sum(octet_length(checkpoint::text) + octet_length(metadata::text) + octet_length(
        concat(thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type)
    )) AS value_bytes,
    0 AS writes, 0 AS write_bytes, 0 AS rest
FROM checkpoints WHERE thread_id = %(thread)s GROUP BY 1
UNION ALL
SELECT checkpoint_ns, channel, count(*) FILTER (WHERE type <> 'empty'),
    coalesce(sum(octet_length(blob)), 0), 0, 0,
    sum(octet_length(concat(thread_id, checkpoint_ns, channel, version, type)))
FROM checkpoint_blobs WHERE thread_id = %(thread)s GROUP BY 1, 2
UNION ALL
SELECT checkpoint_ns, channel, 0, 0, count(*), coalesce(sum(octet_length(blob)), 0),
    sum(octet_length(
        concat(thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, channel, type)
    ))
FROM checkpoint_writes WHERE thread_id = %(thread)s GROUP BY 1, 2
"""

_DROP = """
DELETE FROM checkpoint_blobs b USING checkpoints c
WHERE c.thread_id = %s AND c.checkpoint_ns = %s AND c.checkpoint_id = %s
    AND b.thread_id = c.thread_id AND b.checkpoint_ns = c.checkpoint_ns
    AND b.channel = ANY(%s) AND b.version = c.checkpoint -> 'channel_versions' ->> b.channel
"""

_REPLACE = """
UPDATE checkpoint_writes SET blob = %s
WHERE thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s AND task_id = %s AND idx = %s
"""


class _Held(NamedTuple):
    """What a checkpoint holds."""

    versions: Mapping[str, str]
    values: Mapping[str, bytes]

    def value(self, channel: str) -> bytes | None:
        return self.values.get(channel)


class Postgres:
    """A database of Postgres, as a `Database`.

    Args:
        url: Where it is.
        writable: Whether it is going to be changed.

    Raises:
        Unusable: it cannot be reached, or holds no checkpoints.
    """

    shares_values = True
    trouble: type[Exception] = psycopg.Error

    def __init__(self, url: str, *, writable: bool = False) -> None:
        self._last: dict[tuple[str, str], bytes] = {}
        self._last_tree: Tree | None = None
        try:
            self._connection = psycopg.Connection[dict[str, Any]].connect(
                url, autocommit=True, row_factory=dict_row
            )
        except psycopg.Error as error:
            raise Unusable(f"the database cannot be reached: {error}") from error
        names = {
            (row["table_name"], row["column_name"])
            for row in self._ask(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = ANY(current_schemas(false)) AND table_name = ANY(%s)",
                [*_TABLES],
            )
        }
        wanted = {("checkpoints", "checkpoint_id"), ("checkpoint_blobs", "version")}
        if not wanted | {("checkpoint_writes", "task_path")} <= names:
            self.close()
            raise Unusable(
                "the database holds no checkpoints: it has no tables of a PostgresSaver, or old "
                "ones; PostgresSaver.setup() brings those up to date"
            )

    def close(self) -> None:
        self._connection.close()

    def _ask(self, sql: str, *parameters: Any, **named: Any) -> list[dict[str, Any]]:
        query: Any = sql
        return self._connection.execute(query, named or parameters, binary=True).fetchall()

    def threads(self) -> list[str]:
        rows = self._ask(
            "SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM checkpoint_writes"
        )
        return sorted(row["thread_id"] for row in rows)

    @contextmanager
    def looking(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute(_LOOKS)
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        with self._connection.transaction():
            self._connection.execute(_PATIENT)
            self._connection.execute(_LOCK)
            yield

    def mark(self, thread: str) -> Any:
        return [row["mark"] for row in self._ask(_MARK, thread=thread)]

    def has_moved(self, thread: str, mark: Any) -> bool:
        return self.mark(thread) != mark

    def trees(self, thread: str) -> list[Tree]:
        found: dict[str, Tree] = {}
        for row in self._ask(_NODES, thread):
            namespace = row["checkpoint_ns"]
            tree = found.setdefault(namespace, Tree(thread, namespace, {}))
            own, step = row["checkpoint_id"], row["step"]
            tree.nodes[own] = Node(
                own,
                row["parent_checkpoint_id"],
                row["source"],
                step if isinstance(step, int) else None,
            )
        return list(found.values())

    def content(self, tree: Tree, node: Node) -> _Held:
        (row,) = self._ask(_CONTENT, tree.thread, tree.namespace, node.id)
        if row["format"] != FORMAT:
            raise Sealed(f"of format {row['format']}")
        versions = {name: str(version) for name, version in (row["versions"] or {}).items()}
        known = self._last if self._last_tree is tree else {}
        asked = [pair for pair in versions.items() if pair not in known]
        found = self._values(tree, asked)
        # What the next checkpoint has in common with this one is not read again.
        self._last_tree = tree
        self._last = {
            pair: value
            for pair in versions.items()
            if (value := found.get(pair, known.get(pair))) is not None
        }
        values = {channel: value for (channel, _), value in self._last.items()}
        return _Held(versions, {**dict.fromkeys(row["inline"], _NO_LIST), **values})

    def _values(self, tree: Tree, asked: list[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        if not asked:
            return {}
        columns = [list(column) for column in zip(*asked, strict=True)]
        found = {}
        for row in self._ask(_VALUES, *columns, tree.thread, tree.namespace):
            kind = row["type"]
            if "+" in kind:
                raise Sealed(f"stored as {kind!r}, which is encrypted")
            if kind != "empty":
                is_known = kind == "msgpack" and row["blob"]
                found[row["channel"], row["version"]] = row["blob"] if is_known else _NO_LIST
        return found

    def writes(self, tree: Tree, checkpoint: str) -> dict[str, list[Write]]:
        found: defaultdict[str, list[Write]] = defaultdict(list)
        for row in self._ask(_WRITES, tree.thread, tree.namespace, checkpoint):
            write = Write(row["task_path"], row["task_id"], row["idx"], row["type"], row["blob"])
            found[row["channel"]].append(write)
        return found

    def sizes(self, thread: str) -> Iterator[Size]:
        for row in self._ask(_SIZES, thread=thread):
            rest = int(row.pop("rest"))
            namespace, channel, *numbers = row.values()
            yield Size(namespace, channel, *map(int, numbers))
            if row["writes"]:
                yield Size(namespace, REST, write_bytes=rest)
            else:
                yield Size(namespace, REST, value_bytes=rest)

    def drop(self, tree: Tree, drops: Drops) -> None:
        rows = [
            (tree.thread, tree.namespace, checkpoint, [*channels])
            for checkpoint, channels in drops.items()
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(_DROP, rows)

    def replace(self, tree: Tree, completed: Completed) -> None:
        rows = [(value, tree.thread, tree.namespace, *key) for key, value in completed.items()]
        with self._connection.cursor() as cursor:
            cursor.executemany(_REPLACE, rows)

    def space(self) -> Space:
        rows = self._ask(
            "SELECT sum(pg_total_relation_size(name::regclass)) AS total "
            "FROM unnest(%s::text[]) AS name",
            [*_TABLES],
        )
        return Space(int(rows[0]["total"]), 0, compresses=True)

    def shrink(self) -> str | None:
        try:
            self._connection.execute("VACUUM checkpoints, checkpoint_blobs, checkpoint_writes")
        except psycopg.Error as error:
            return f"the room that is free now cannot be used again yet: {error}"
        return (
            "the tables keep the room that is free now, for what is stored next; VACUUM FULL "
            "would give it back, and keep everybody waiting meanwhile"
        )
