"""The addresses of what runs show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._value.answers import Json, trouble
from langgraph_rust._view._watching.runs import Runs

_TURN = 0.3
"""Seconds after which it is looked whether the server is being stopped."""


def routes(runs: Runs, is_over: Callable[[], bool]) -> list[BaseRoute]:
    """Return the addresses: `/api/runs` lists runs, `/api/events` has the events of one.

    Args:
        runs: Which.
        is_over: Whether the server is being stopped, so that what lasts is to end.
    """

    async def listed(_: Request) -> Response:
        try:
            return Json({"runs": await run_in_threadpool(runs.listed)})
        except Unusable as error:
            return trouble(str(error), 503)

    async def events(request: Request) -> Response:
        try:
            known = int(request.headers.get("last-event-id") or 0)
        except ValueError:
            return trouble("an event's id is a number", 400)
        run = request.query_params.get("run", "")
        try:
            found = await run_in_threadpool(runs.follow, run, known)
        except Unusable as error:
            return trouble(str(error), 503)
        if found is None:
            return trouble("there is no such run", 404)
        return StreamingResponse(_told(found, is_over), media_type="text/event-stream")

    return [Route("/api/runs", listed), Route("/api/events", events)]


async def _told(
    events: AsyncIterator[tuple[int, str]], is_over: Callable[[], bool]
) -> AsyncIterator[str]:
    coming = None
    try:
        while not is_over():
            coming = coming or asyncio.ensure_future(anext(events))
            await asyncio.wait({coming}, timeout=_TURN)
            if not coming.done():
                continue
            try:
                number, text = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield f"id: {number}\ndata: {text}\n\n"
    finally:
        if coming is not None:
            coming.cancel()
