"""Storing that fails: the error says of which thread, nothing is lost, and the thread goes on."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.checkpoint.sqlite import SqliteSaver
from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver
from tests.kills.judge import ending, wrong
from tests.kills.program import CONFIG, ago_on, awritten, go_on, written

TELLS = re.compile(
    r"^Storing (writes on )?checkpoint [0-9a-f-]{36} of thread '1'(, namespace 'inner:[^']*')? "
    "failed: "
)

every_durability = pytest.mark.parametrize("durability", ["sync", "async", "exit"])


def undisturbed() -> list[str]:
    lines: list[str] = []
    go_on(InMemorySaver(), "sync", lines.append)
    return ending(lines)


def assert_goes_on(
    durability: str, before: list[str], kept: list[str], after: list[str], end: list[str]
) -> None:
    assert [*wrong(durability, before, kept, after, end)] == []


class TestFullDisks:
    """SQLite with a limit of pages, which it says the same of as of a disk that is full."""

    @every_durability
    def test_of_the_saver(self, tmp_path: Path, durability: str) -> None:
        end, failures = undisturbed(), 0
        for room in range(0, 1000, 5):
            with closing(small(tmp_path / f"{room}")) as conn:
                saver = SqliteSaver(conn)
                saver.setup()
                limit(conn, room)
                before, after = [], []
                try:
                    go_on(saver, durability, before.append)
                except sqlite3.OperationalError as error:
                    assert_told(error)
                else:
                    break
                failures += 1
                assert not conn.in_transaction
                kept = written(saver)
                limit(conn, 10000)
                go_on(saver, durability, after.append)
                assert_goes_on(durability, before, kept, after, end)
                assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert failures

    @every_durability
    async def test_of_the_async_saver(self, tmp_path: Path, durability: str) -> None:
        end, failures = undisturbed(), 0
        for room in range(0, 1000, 5):
            small(tmp_path / f"{room}").close()
            async with AsyncSqliteSaver.from_conn_string(str(tmp_path / f"{room}")) as saver:
                await saver.setup()
                await saver._in_thread(limit, room)
                before, after = [], []
                try:
                    await ago_on(saver, durability, before.append)
                except sqlite3.OperationalError as error:
                    assert_told(error)
                else:
                    break
                failures += 1
                assert not saver.conn.in_transaction
                kept = await awritten(saver)
                await saver._in_thread(limit, 10000)
                await ago_on(saver, durability, after.append)
                assert_goes_on(durability, before, kept, after, end)
        assert failures

    def test_one_thread_of_several(self, tmp_path: Path) -> None:
        # What does not fit is the only thing that is not stored.
        with closing(small(tmp_path / "db")) as conn:
            saver = SqliteSaver(conn)
            go_on(saver, "sync", lambda _: None)
            limit(conn, 4)
            place: Any = saver.get_tuple(CONFIG)
            with pytest.raises(sqlite3.OperationalError, match=r"of thread '1' failed: .*full"):
                saver.put_writes(place.config, [("log", ["x" * 4000])], "large")
            saver.put_writes(place.config, [("log", ["x"])], "little")
            found: Any = saver.get_tuple(CONFIG)
            assert found.pending_writes == [("little", "log", ["x"])]


def small(path: Path) -> sqlite3.Connection:
    """A database of small pages, so that there are many places where it can be full."""
    conn = sqlite3.connect(path, check_same_thread=False)
    conn.execute("PRAGMA page_size=512")
    conn.execute("VACUUM")
    return conn


def limit(conn: sqlite3.Connection, room: int) -> None:
    """Let a database have so many pages more."""
    (count,) = conn.execute("PRAGMA page_count").fetchone()
    conn.execute(f"PRAGMA max_page_count={count + room}")


def assert_told(error: sqlite3.Error) -> None:
    assert TELLS.match(str(error)), error
    assert str(error).endswith("database or disk is full")
    if hasattr(error, "sqlite_errorname"):  # Python 3.11
        assert error.sqlite_errorname == "SQLITE_FULL"


@pytest.mark.parametrize("whole", [True, False], ids=["checkpoint", "write"])
def test_the_way_into_a_cycle_is_not_spelled_out(whole: bool) -> None:
    cycle: dict[str, Any] = {}
    cycle["again"] = cycle
    place: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": "", "checkpoint_id": "1"}}
    checkpoint: Any = {**empty_checkpoint(), "channel_values": {"log": cycle}}
    checkpoint["channel_versions"] = {"log": 1}
    for saver in (InMemorySaver(), SqliteSaver(sqlite3.connect(":memory:"))):
        with pytest.raises(TypeError, match=r"at log\['again'\].* … .*\['again'\]") as caught:
            if whole:
                saver.put(place, checkpoint, {}, {"log": 1})
            else:
                saver.put_writes(place, [("log", cycle)], "task")
        assert len(str(caught.value)) < 200
