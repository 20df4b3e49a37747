"""Savers: one that is slow, and one that now and then fails."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from langgraph_rust.checkpoint.memory import InMemorySaver
from tests.stress.world import RUN, SaverError, fails_here


def saver(kind: str | None, plan: dict[str, Any]) -> InMemorySaver | None:
    """The saver that a program asks for."""
    if kind is None:
        return None
    return InMemorySaver() if kind == "memory" else OddSaver(plan)


class OddSaver(InMemorySaver):
    """Takes `ms` per call, and fails in the calls that `fails` names, before or after storing."""

    def __init__(self, plan: dict[str, Any]) -> None:
        super().__init__()
        self.seconds = plan["ms"] / 1000
        self.fails: list[list[Any]] = plan["fails"]

    def put(self, *args: Any, **kwargs: Any) -> Any:
        time.sleep(self.seconds)
        return self._put(*args, **kwargs)

    def put_writes(self, *args: Any, **kwargs: Any) -> None:
        time.sleep(self.seconds)
        self._put_writes(*args, **kwargs)

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(self.seconds)
        return self._put(*args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.sleep(self.seconds)
        self._put_writes(*args, **kwargs)

    def _put(self, *args: Any, **kwargs: Any) -> Any:
        after = self._may_fail("put")
        stored = super().put(*args, **kwargs)
        if after:
            raise_error("put")
        return stored

    def _put_writes(self, *args: Any, **kwargs: Any) -> None:
        after = self._may_fail("put_writes")
        super().put_writes(*args, **kwargs)
        if after:
            raise_error("put_writes")

    def _may_fail(self, method: str) -> bool:
        """Fail now if this call is to; tells whether it is to fail when it has stored."""
        ledger = RUN.get()
        if ledger is None or ledger.calm:
            return False
        number = ledger.count(f"saver.{method}")
        for name, at, when in self.fails:
            if name == method and at == number:
                if when == "before":
                    raise_error(method)
                return True
        return False


def raise_error(method: str) -> None:
    """Fail."""
    fails_here(RUN.get(), SaverError(method), "saver")
