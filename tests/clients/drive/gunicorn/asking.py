"""What the programs beside this one ask a gunicorn."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import httpx
from serving import Server, free_port, serving
from transcript import noted, step, until


def gunicorn(*arguments: str) -> AbstractContextManager[Server]:
    """A gunicorn that serves the application beside this."""
    port = free_port()
    command = ["gunicorn", "app:app", "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5"]
    return serving([*command, *arguments], port, "/pid")


def side_by_side(server: Server, how: str, count: int) -> float:
    """Ask for so many streams at once; the seconds that took."""
    names = [f"{how}{number}" for number in range(count)]
    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        heard = list(pool.map(lambda name: server.get(f"/stream/{name}"), names))
    took = time.monotonic() - began
    step(f"{how}: streams", [text.splitlines() for text in heard])
    return took


def leave(server: Server, name: str) -> None:
    """Leave a stream after its first line."""
    with httpx.stream("GET", f"{server.url}/stream/{name}", timeout=30) as answer:
        next(answer.iter_lines())
    until(f"{name} is closed", 20, lambda: name in noted("closed"))
    time.sleep(1)
    step(f"{name}: came to its end", name in noted("ended"))


def fan_out(server: Server, how: str) -> None:
    """Ask for graphs whose branches run side by side."""
    step(f"{how}: fanned out", [server.get(f"/fan/{how}{number}") for number in range(3)])


def kill_worker(server: Server, how: str) -> None:
    """Kill a worker; another takes its place."""
    os.kill(int(server.get("/pid")), signal.SIGKILL)
    time.sleep(0.5)
    until("a worker answers", 30, lambda: server.answers("/pid"))
    fan_out(server, f"{how}, after a worker was killed")


def reload(server: Server, how: str) -> None:
    """Have all workers replaced."""
    before = server.get("/pid")
    server.process.send_signal(signal.SIGHUP)
    until("new workers answer", 30, lambda: server.answers("/pid") not in (None, before))
    fan_out(server, f"{how}, after a reload")


def stop(server: Server, how: str) -> None:
    """Have it end."""
    step(f"{how}: exit status", server.stop())
    step(f"{how}: tracebacks", server.log().count("Traceback"))
