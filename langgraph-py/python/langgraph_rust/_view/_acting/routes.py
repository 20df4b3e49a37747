"""The addresses of what can be done with a graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._acting.acts import Acts, Refused
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._value.show import Shown


def routes(acts: Acts) -> list[BaseRoute]:
    """Return the addresses: `/api/run` and `/api/update`, to be posted to, and `/graph.svg`."""

    async def run(request: Request) -> Response:
        try:
            acts.allow()
            asked, place = await _asked(request)
        except (Refused, ValueError) as error:
            return _trouble(error)
        return StreamingResponse(_events(acts.run(place, asked)), media_type="text/event-stream")

    async def update(request: Request) -> Response:
        try:
            asked, place = await _asked(request)
            made = await acts.update(place, asked.get("values"), asked.get("as_node"))
        except (Refused, ValueError, Unusable) as error:
            return _trouble(error)
        return JSONResponse({"checkpoint": made})

    async def picture(request: Request) -> Response:
        thread = request.query_params.get("thread")
        place = None if thread is None else Place(thread, "", "")
        drawn, kind = await acts.picture(place)
        return Response(drawn, media_type=kind)

    return [
        Route("/api/run", run, methods=["POST"]),
        Route("/api/update", update, methods=["POST"]),
        Route("/graph.svg", picture),
    ]


def _trouble(error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 409 if isinstance(error, Refused) else 400)


async def _asked(request: Request) -> tuple[dict[str, Any], Place]:
    """Return what is asked for, and of which checkpoint.

    Raises:
        ValueError: it is no such request.
    """
    asked = json.loads(await request.body())
    if not isinstance(asked, dict) or not isinstance(asked.get("thread"), str):
        raise ValueError("which thread?")
    place = Place(asked["thread"], asked.get("namespace") or "", asked.get("checkpoint") or "")
    return asked, place


async def _events(shown: AsyncIterator[Shown]) -> AsyncIterator[str]:
    async for event in shown:
        kind = event.pop("kind")
        yield f"event: {kind}\ndata: {json.dumps(event)}\n\n"
