"""Storing what must not get lost, even if the database is gone for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from langgraph_rust.checkpoint.postgres._plans import Plan
from langgraph_rust.runs._database import AsyncDatabase

__all__ = ("TROUBLE", "Keeper")

T = TypeVar("T")

logger = logging.getLogger(__name__)

TROUBLE = (OperationalError, PoolTimeout)
"""What says that the database cannot be reached."""

_PATIENCE = 60.0
"""Seconds for which that is tried again."""


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
            except TROUBLE as error:
                if time.monotonic() > until:
                    raise
                logger.warning("the database cannot be reached: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
