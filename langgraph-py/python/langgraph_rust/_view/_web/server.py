"""The viewer's server: which address answers what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._looking.export import MOST, export
from langgraph_rust._view._looking.look import Look, NotThere
from langgraph_rust._view._looking.storage import storage
from langgraph_rust._view._source.source import Place
from langgraph_rust._view._value.answers import Json, trouble
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._value.show import Window
from langgraph_rust._view._watching.routes import routes as run_routes
from langgraph_rust._view._watching.runs import NO_RUNS, Runs
from langgraph_rust._view._web.guard import Guard
from langgraph_rust._view._web.live import changes, mark

PAGE = Path(__file__).parents[1] / "page"
"""The page's files."""

_MOST_ITEMS = 1000
_MOST_TEXT = 100_000
_MOST_DEPTH = 8

_Answer = Callable[[Request], Awaitable[Response]]


def application(
    look: Look,
    hosts: Collection[str],
    *,
    redaction: Redaction = NOTHING,
    runs: Runs = NO_RUNS,
    more: Collection[BaseRoute] = (),
    about: dict[str, Any] | None = None,
    token: str | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Guard:
    """Return the viewer of a database, as an ASGI application.

    Args:
        look: At what.
        hosts: What requests may call us, with the port.
        redaction: What `look` does not show.
        runs: What is told of them while they go on.
        more: Addresses of what can be done with a graph.
        about: What is said of that to the page.
        token: What requests need; a random one if left out.
        is_over: Whether the server is being stopped, so that what lasts is to end.
    """
    routes = [
        Route("/", _index),
        Mount("/page", StaticFiles(directory=PAGE)),
        Route("/api/about", _told(lambda _: {"database": look.source.name, **(about or {})})),
        Route("/api/threads", _told(lambda asked: _threads(look, asked))),
        Route("/api/thread", _told(lambda asked: look.thread(asked["thread"]))),
        Route("/api/checkpoints", _told(lambda asked: _checkpoints(look, asked))),
        Route("/api/checkpoint", _told(lambda asked: _checkpoint(look, asked))),
        Route("/api/value", _told(lambda asked: _value(look, asked))),
        Route("/api/diff", _told(lambda asked: _diff(look, asked))),
        Route("/api/storage", _told(lambda asked: _storage(look, redaction, asked))),
        Route("/api/export", _exporting(look, redaction)),
        Route("/api/live", _live(lambda: (look.source.mark(), runs.mark()), is_over)),
        *run_routes(runs, is_over),
        *more,
    ]
    return Guard(Starlette(routes=routes), hosts, token)


async def _index(_: Request) -> Response:
    return FileResponse(PAGE / "index.html")


def _told(answer: Callable[[dict[str, str]], Any]) -> _Answer:
    """Return an endpoint that answers in JSON; looking may take a while, so a thread does."""

    async def endpoint(request: Request) -> Response:
        asked = dict(request.query_params)
        try:
            return Json(await run_in_threadpool(answer, asked))
        except NotThere as error:
            return trouble(error, 404)
        except KeyError as error:
            return trouble(f"{error.args[0]} is missing", 400)
        except ValueError as error:
            return trouble(error, 400)
        except Unusable as error:
            return trouble(error, 503)

    return endpoint


def place_of(asked: dict[str, Any]) -> Place:
    """Return the checkpoint that a request names; the newest if it names none."""
    return Place(asked["thread"], asked.get("namespace", ""), asked.get("checkpoint", ""))


def _threads(look: Look, asked: dict[str, str]) -> Any:
    newest, last = asked.get("newest"), asked.get("last")
    before = (newest, last) if newest and last else None
    return look.threads(asked.get("q", ""), before)


def _checkpoints(look: Look, asked: dict[str, str]) -> Any:
    return look.checkpoints(asked["thread"], asked.get("namespace", ""), asked.get("before"))


def _checkpoint(look: Look, asked: dict[str, str]) -> Any:
    return look.checkpoint(place_of(asked), asked.get("against"))


def _value(look: Look, asked: dict[str, str]) -> Any:
    window = Window(
        offset=max(int(asked.get("offset", 0)), 0),
        limit=min(int(asked.get("limit", 50)), _MOST_ITEMS),
        depth=min(int(asked.get("depth", 1)), _MOST_DEPTH),
        text=min(int(asked.get("text", 2000)), _MOST_TEXT),
    )
    place, pointer = place_of(asked), asked.get("pointer", "")
    if "task" in asked:
        return look.write(place, asked["task"], int(asked["index"]), pointer, window)
    return look.value(place, asked["channel"], pointer, window)


def _diff(look: Look, asked: dict[str, str]) -> Any:
    return look.diff(place_of(asked), asked["channel"], asked.get("against"))


def _storage(look: Look, redaction: Redaction, asked: dict[str, str]) -> Any:
    return storage(look.source, asked["thread"], redaction)


def _exporting(look: Look, redaction: Redaction) -> _Answer:
    async def endpoint(request: Request) -> Response:
        asked = request.query_params
        try:
            also = Redaction(asked.getlist("key"), asked.getlist("pattern"))
            made = await run_in_threadpool(
                export,
                look.source,
                asked["thread"],
                redaction.and_also(also),
                int(asked.get("most", MOST)),
            )
        except NotThere as error:
            return trouble(error, 404)
        except (KeyError, ValueError) as error:
            return trouble(error, 400)
        # A download: as a page of ours it would have our cookie.
        attachment = {"content-disposition": 'attachment; filename="thread.html"'}
        return Response(made, media_type="text/html", headers=attachment)

    return endpoint


def _live(look: Callable[[], object], is_over: Callable[[], bool]) -> _Answer:
    async def endpoint(request: Request) -> Response:
        # What is stored from the answer on is told.
        before = await mark(look)
        told = _alive(changes(look, before, is_over), request)
        return StreamingResponse(told, media_type="text/event-stream")

    return endpoint


async def _alive(stored: AsyncIterator[None], request: Request) -> AsyncIterator[str]:
    async for _ in stored:
        if await request.is_disconnected():
            return
        yield "event: changed\ndata: {}\n\n"
