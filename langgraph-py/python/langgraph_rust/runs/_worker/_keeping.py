"""Storing what must not get lost, even if the database is gone for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from psycopg import DatabaseError, OperationalError

from langgraph_rust.checkpoint.postgres._plans import Plan
from langgraph_rust.runs._database import AsyncDatabase

__all__ = ("Keeper", "is_outage")

T = TypeVar("T")

logger = logging.getLogger(__name__)

_CLASSES = frozenset(("08", "40", "53", "55", "57", "58"))
"""Of SQL states: connections, transactions in each other's way, what the server is short of, what
is in use, what somebody has stopped, and the system under it."""

_STOOD_STILL = frozenset(("25P03", "25P04"))
"""Of transactions that the server has ended because this process stood still in them."""

_PATIENCE = 60.0
"""Seconds for which that is tried again."""


def is_outage(error: BaseException) -> bool:
    """Whether the same may succeed later, because the database was not to be had.

    Operational errors are also told of what is too large, whenever it is stored. One without a
    state is of a connection that was lost, or that there was none to be had.
    """
    if not isinstance(error, OperationalError):
        return isinstance(error, DatabaseError) and error.sqlstate in _STOOD_STILL
    return error.sqlstate is None or error.sqlstate[:2] in _CLASSES


class Keeper:
    """Carries out plans that may be carried out twice.

    Args:
        database: Where.
    """

    def __init__(self, database: AsyncDatabase) -> None:
        self._database = database

    async def keep(self, make: Callable[[], Plan[T]], *, transaction: bool = False) -> T:
        """Carry out a plan; once more if the database could not be reached.

        Raises:
            psycopg.OperationalError: it could not for a minute.
        """
        pause, until = 0.1, time.monotonic() + _PATIENCE
        while True:
            try:
                return await self._database.carry_out(make(), transaction=transaction)
            except DatabaseError as error:
                if time.monotonic() > until or not is_outage(error):
                    raise
                logger.warning("the database cannot be reached: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
