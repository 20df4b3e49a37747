"""A turn of a chat whose thread has a long history, with each way of keeping it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benches.compare.cases.base import Case, Mode, Run, in_either_mode

TURNS = 200
"""Which turn it is that is measured; the ones before it have been stored as they would be."""

QUESTION = "How many of these would fit into a box of the usual size, and why? " * 3
ANSWER = "That depends on the box; but with the usual one, about forty. " * 3

THREAD: Any = {"configurable": {"thread_id": "1"}}


def turn_cases() -> list[Case]:
    """In memory, and in a SQLite file, with the default durability."""
    return [MemoryTurn(), SqliteTurn()]


class _Turn(Case):
    """One node that answers. After each sample the thread is as it was before the turn."""

    steps = 1
    unit = "turn"
    _compiled: Any = None
    _newest = ""

    def graph(self, mode: Mode) -> Run:
        self._compiled = None
        self._prepare()

        def run() -> Any:
            self._compiled = self._compiled or _chat(mode).compile(self._own_saver(mode))
            return _said(self._compiled.invoke(_question(), THREAD))

        async def arun() -> Any:
            # Some savers belong to the event loop that they are made in.
            self._compiled = self._compiled or _chat(mode).compile(self._own_saver(mode))
            return _said(await self._compiled.ainvoke(_question(), THREAD))

        return run if mode == "sync" else arun

    def _prepare(self) -> None:
        """Store the turns before."""
        raise NotImplementedError

    def _own_saver(self, mode: Mode) -> Any:
        """The saver of the turns that are measured; in mode ``async``, made in the event loop."""
        raise NotImplementedError

    def _fill(self, saver: Any) -> None:
        graph = _chat("sync").compile(saver)
        for _ in range(TURNS - 1):
            graph.invoke(_question(), THREAD)
        self._newest = graph.get_state(THREAD).config["configurable"]["checkpoint_id"]


class MemoryTurn(_Turn):
    """In memory."""

    name = f"chat_turn_{TURNS}_memory"

    def clean(self) -> None:
        saver, newest = self._saver, self._newest
        if not saver:
            return
        for stored in saver.storage["1"].values():
            for own in [own for own in stored if own > newest]:
                del stored[own]
        for key in [key for key in saver.writes if key[2] >= newest]:
            del saver.writes[key]
        for key in [key for key in saver.blobs if key not in self._known]:
            del saver.blobs[key]

    def floor(self, mode: Mode) -> Run:
        return in_either_mode(_by_hand(lambda rows: None), mode)

    def _prepare(self) -> None:
        self._fill(self.new_saver(True))
        self._known = set(self._saver.blobs)

    def _own_saver(self, mode: Mode) -> Any:
        return self._saver


class SqliteTurn(_Turn):
    """In a SQLite file; whoever stores waits for the disk."""

    name = f"chat_turn_{TURNS}_sqlite"

    def clean(self) -> None:
        if self._newest:
            with self._connection:
                run = self._connection.execute
                run("DELETE FROM checkpoints WHERE checkpoint_id > ?", (self._newest,))
                run("DELETE FROM writes WHERE checkpoint_id >= ?", (self._newest,))

    def floor(self, mode: Mode) -> Run:
        self._folder = TemporaryDirectory()
        connection = self._open()
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB)")

        def store(rows: list[bytes]) -> None:
            with connection:
                connection.executemany("INSERT INTO rows (value) VALUES (?)", zip(rows))

        return in_either_mode(_by_hand(store), mode)

    def _prepare(self) -> None:
        from langgraph.checkpoint.sqlite import SqliteSaver

        self._folder = TemporaryDirectory()
        self._connection = self._open()
        self._fill(SqliteSaver(self._connection))

    def _own_saver(self, mode: Mode) -> Any:
        if mode == "sync":
            from langgraph.checkpoint.sqlite import SqliteSaver

            return SqliteSaver(self._connection)
        import aiosqlite
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        connection = aiosqlite.connect(self._path())
        thread: Any = getattr(connection, "_thread", connection)
        thread.daemon = True
        return AsyncSqliteSaver(connection)

    def _path(self) -> Path:
        return Path(self._folder.name) / "threads.sqlite"

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path(), check_same_thread=False)


def _chat(mode: Mode) -> Any:
    from typing import Annotated, TypedDict

    from langchain_core.messages import AIMessage
    from langgraph.graph import START, StateGraph
    from langgraph.graph.message import add_messages

    State: Any = TypedDict("State", {"messages": Annotated[list, add_messages]})

    def answer(state: Any) -> Any:
        return {"messages": [AIMessage(ANSWER)]}

    async def aanswer(state: Any) -> Any:
        return answer(state)

    builder = StateGraph(State)
    builder.add_node("answer", answer if mode == "sync" else aanswer)
    builder.add_edge(START, "answer")
    return builder


def _question() -> Any:
    from langchain_core.messages import HumanMessage

    return {"messages": [HumanMessage(QUESTION)]}


def _said(result: Any) -> Any:
    """What both sides must agree on."""
    return {"last": result["messages"][-1].content}


def _by_hand(store: Any) -> Any:
    """Read the messages as plain data, add two, and store what three supersteps store: a write and
    a state each, each superstep at once."""
    import ormsgpack

    def message(kind: str, content: str) -> dict[str, Any]:
        return {"content": content, "type": kind, "id": "0" * 36, "name": None, "extra": {}}

    old = [message("human", QUESTION), message("ai", ANSWER)] * (TURNS - 1)
    stored = ormsgpack.packb(old)

    def run() -> dict[str, Any]:
        messages = ormsgpack.unpackb(stored)
        for kind, content in (("human", QUESTION), ("ai", ANSWER), ("", "")):
            write = ormsgpack.packb([message(kind, content)])
            if kind:
                messages.append(message(kind, content))
            store([write, ormsgpack.packb(messages)])
        return {"last": messages[-1]["content"]}

    return run
