"""The addresses of what can be done with a graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._acting.acts import Acts
from langgraph_rust._view._acting.refused import Refused
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._value.answers import Json, trouble


def routes(acts: Acts) -> list[BaseRoute]:
    """Return the addresses: `/graph.svg`, and those that are posted to.

    `/api/run` and `/api/rerun` begin something, and answer with the id of a run to be watched;
    `/api/stop` ends one; `/api/update` writes to a state.
    """

    async def run(asked: dict[str, Any]) -> Any:
        for name in ("input", "resume"):
            if asked.get(name) is not None:
                _text(asked, name)
        return {"run": acts.run(_place(asked), asked)}

    async def rerun(asked: dict[str, Any]) -> Any:
        return {"run": acts.rerun(_place(asked), _text(asked, "task"), _text(asked, "name"))}

    async def stop(asked: dict[str, Any]) -> Any:
        acts.stop(_text(asked, "run"))
        return {}

    async def update(asked: dict[str, Any]) -> Any:
        acts.allow()
        values = _text(asked, "values")
        made = await acts.update(_place(asked), values, asked.get("as_node"))
        return {"checkpoint": made}

    async def picture(request: Request) -> Response:
        thread = request.query_params.get("thread")
        place = None if thread is None else Place(thread, "", "")
        try:
            drawn, kind = await acts.picture(place)
        except Unusable as error:
            return trouble(str(error), 503)
        return Response(drawn, media_type=kind)

    done = [
        Route(f"/api/{one.__name__}", _endpoint(one), methods=["POST"])
        for one in (run, rerun, stop, update)
    ]
    return [*done, Route("/graph.svg", picture)]


def _endpoint(act: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            if not isinstance(asked, dict):
                raise ValueError("what is asked for is no object")
            return Json(await act(asked))
        except Refused as error:
            return trouble(str(error), 409)
        except (ValueError, RecursionError, Unusable) as error:
            return trouble(str(error), 400)

    return endpoint


def _place(asked: dict[str, Any]) -> Place:
    """Return the checkpoint that is asked for; the newest if none is named.

    Raises:
        ValueError: no thread is.
    """
    thread = _text(asked, "thread")
    return Place(thread, asked.get("namespace") or "", asked.get("checkpoint") or "")


def _text(asked: dict[str, Any], name: str) -> str:
    if not isinstance(asked.get(name), str):
        raise ValueError(f"which {name}?")
    return asked[name]
