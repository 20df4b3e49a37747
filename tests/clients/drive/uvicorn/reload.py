"""A program that changes while the server runs, with a stream under way."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
from serving import Server, free_port, serving
from transcript import noted, step, until


def listen(server: Server, name: str, events: list[str]) -> None:
    try:
        with httpx.stream("GET", f"{server.url}/stream/{name}", timeout=60) as answer:
            for line in filter(None, answer.iter_lines()):
                events.append(line)
    except httpx.HTTPError:
        events.append("broken off")


def main() -> None:
    port = free_port()
    source = (Path(__file__).parent / "app.py").read_text(encoding="utf-8")
    app = Path("changing/app.py")
    app.parent.mkdir()
    app.write_text(source, encoding="utf-8")
    command = ["uvicorn", "app:app", "--app-dir", "changing", "--port", str(port), "--reload"]
    more = ["--reload-dir", "changing", "--timeout-graceful-shutdown", "1"]
    with serving([*command, *more], port, "/version") as server:
        step("before", server.get("/awaited/first"))
        events: list[str] = []
        streaming = threading.Thread(target=listen, args=(server, "long", events))
        streaming.start()
        until("the stream has begun", 20, lambda: events)
        app.write_text(source.replace("VERSION = 1", "VERSION = 2"), encoding="utf-8")
        until("the new program answers", 60, lambda: server.answers("/version") == "2")
        streaming.join()
        step("how the stream ended", [events[:2], events[-1], noted("ended")])
        step("after", server.get("/awaited/second"))
        heard: list[str] = []
        listen(server, "last", heard)
        step("a stream of the new program", heard)
        step("exit status", server.stop())


if __name__ == "__main__":
    main()
