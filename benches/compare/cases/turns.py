"""A turn of a chat whose thread has a history, with each way of keeping it."""

from __future__ import annotations

from typing import Any

from benches.compare.cases.base import Case, Mode, Run, in_either_mode
from benches.compare.cases.stores import Postgres, Sqlite

TURNS = (10, 200)
"""Which turn it is that is measured; the ones before it have been stored as they would be."""

QUESTION = "How many of these would fit into a box of the usual size, and why? " * 3
ANSWER = "That depends on the box; but with the usual one, about forty. " * 3

THREAD: Any = {"configurable": {"thread_id": "1"}}


def turn_cases() -> list[Case]:
    """In memory, in a SQLite file and in Postgres, with the default durability."""
    return [kind(turn) for kind in (MemoryTurn, SqliteTurn, PostgresTurn) for turn in TURNS]


class _Turn(Case):
    """One node that answers. After each sample the thread is as it was before the turn."""

    steps = 1
    unit = "turn"
    _compiled: Any = None
    _store: Any = None
    _newest = ""

    def __init__(self, turn: int) -> None:
        super().__init__()
        self._turn = turn

    def graph(self, mode: Mode) -> Run:
        self._store = self._new_store()
        self._fill()

        def run() -> Any:
            return _said(self._compiled.invoke(_question(), THREAD))

        async def arun() -> Any:
            return _said(await self._compiled.ainvoke(_question(), THREAD))

        return run if mode == "sync" else arun

    def clean(self) -> None:
        if self._newest:
            self._store.forget_after(self._newest)

    def _new_store(self) -> Any:
        raise NotImplementedError

    def _fill(self) -> None:
        """Store the turns before."""
        self._compiled = _chat("sync").compile(self._store.saver())
        for _ in range(self._turn - 1):
            self._compiled.invoke(_question(), THREAD)
        self._newest = self._compiled.get_state(THREAD).config["configurable"]["checkpoint_id"]


class MemoryTurn(_Turn):
    """In memory."""

    def __init__(self, turn: int) -> None:
        super().__init__(turn)
        self.name = f"chat_turn_{turn}_memory"

    async def aopen(self) -> None:
        if self._store:
            self._compiled = _chat("async").compile(self._store.saver())

    def floor(self, mode: Mode) -> Run:
        return in_either_mode(_by_hand(self._turn, lambda rows: None), mode)

    def _new_store(self) -> Any:
        return _Memory()


class SqliteTurn(_Turn):
    """In a SQLite file; whoever stores waits for the disk."""

    def __init__(self, turn: int) -> None:
        super().__init__(turn)
        self.name = f"chat_turn_{turn}_sqlite"

    async def aopen(self) -> None:
        if self._store:
            self._compiled = _chat("async").compile(await self._store.asaver())

    def floor(self, mode: Mode) -> Run:
        store = Sqlite()
        connection = store.connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB)")

        def keep(rows: list[bytes]) -> None:
            with connection:
                connection.executemany("INSERT INTO rows (value) VALUES (?)", zip(rows))

        run = _by_hand(self._turn, keep)
        self._floor_store = store  # its folder goes with it
        return in_either_mode(run, mode)

    def _new_store(self) -> Any:
        return Sqlite()


class PostgresTurn(_Turn):
    """On a PostgreSQL that waits for the disk."""

    needs_postgres = True
    _own: Any = None

    def __init__(self, turn: int) -> None:
        super().__init__(turn)
        self.name = f"chat_turn_{turn}_postgres"

    async def aopen(self) -> None:
        if self._store:
            self._own = await self._store.aconnect()
            self._compiled = _chat("async").compile(self._store.asaver(self._own))

    async def aclose(self) -> None:
        if self._own:
            await self._own.close()

    def floor(self, mode: Mode) -> Run:
        connection = Postgres().connection
        connection.execute("CREATE TABLE rows (id SERIAL PRIMARY KEY, value BYTEA)")

        def keep(rows: list[bytes]) -> None:
            with connection.pipeline(), connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("INSERT INTO rows (value) VALUES (%s)", [(row,) for row in rows])

        return in_either_mode(_by_hand(self._turn, keep), mode)

    def _new_store(self) -> Any:
        return Postgres()


class _Memory:
    """The in-memory saver, with what the other places for threads can do."""

    def __init__(self) -> None:
        from langgraph.checkpoint.memory import InMemorySaver

        self._saver = InMemorySaver()

    def saver(self) -> Any:
        """The saver, for either mode."""
        return self._saver

    def forget_after(self, checkpoint: str) -> None:
        """Delete what has come after a checkpoint."""
        saver = self._saver
        for stored in saver.storage["1"].values():
            for own in [own for own in stored if own > checkpoint]:
                del stored[own]
        for key in [key for key in saver.writes if key[2] >= checkpoint]:
            del saver.writes[key]
        (values,) = saver.storage["1"].values()
        kept = saver.serde.loads_typed(values[checkpoint][0])["channel_versions"]
        for key in [key for key in saver.blobs if key[3] > kept.get(key[2], "")]:
            del saver.blobs[key]


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


def _by_hand(turn: int, store: Any) -> Any:
    """Read the messages as plain data, add two, and store what three supersteps store: a write and
    a state each, each superstep at once."""
    import ormsgpack

    def message(kind: str, content: str) -> dict[str, Any]:
        return {"content": content, "type": kind, "id": "0" * 36, "name": None, "extra": {}}

    old = [message("human", QUESTION), message("ai", ANSWER)] * (turn - 1)
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
