"""A graph and the saver that its runs use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.memory import Memory
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.pregel import Pregel

AnyPregel = Pregel[Any, Any, Any, Any]


class Acting:
    """Gives a graph with a saver.

    Args:
        graph: The graph.
        database: Where its threads are: the path of a file of SQLite, or the URL of a Postgres
            database; `None` for the graph's own saver, in memory.
        is_allowed: Whether anything may be stored there.
    """

    def __init__(self, graph: AnyPregel, database: str | None, *, is_allowed: bool) -> None:
        self.graph = graph
        self._database = database
        self.is_allowed = is_allowed
        """Whether anything may be done with threads."""

    def source(self) -> Memory:
        """Return the threads of the graph's own saver.

        Raises:
            Unusable: it has none in memory.
        """
        saver = self.graph.checkpointer
        if not isinstance(saver, InMemorySaver):
            raise Unusable("name a database: the graph's own saver is not one in memory")
        return Memory(saver)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AnyPregel]:
        """Give the graph with a saver, for as long as an `async with` block lasts.

        Raises:
            Unusable: the package of the saver is not there.
        """
        if self._database is None:
            yield self.graph
            return
        try:
            if "://" in self._database:
                from langgraph_rust.checkpoint.postgres.aio import AsyncPostgresSaver as Saver
            else:
                from langgraph_rust.checkpoint.sqlite.aio import AsyncSqliteSaver as Saver
        except ImportError as error:
            raise Unusable(
                f"runs take a saver for asyncio, which is not there: {error}. "
                "Install langgraph-rust[sqlite], or [postgres]"
            ) from error
        async with Saver.from_conn_string(self._database) as saver:
            _set_up_like(saver, self.graph.checkpointer)
            yield self.graph.copy(update={"checkpointer": saver})


def _set_up_like(saver: Any, own: Any) -> None:
    """Have a saver store as the graph's own does: encrypted, for one."""
    given = getattr(own, "__dict__", {})
    for name in ("serde", "linear_storage", "single_writer"):
        if name in given:
            setattr(saver, name, given[name])
