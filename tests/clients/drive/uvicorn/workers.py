"""Two workers and fifty clients, of which twenty leave in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from serving import Server, free_port, serving
from transcript import noted, step, until

CLIENTS = 50
LEAVE = {f"client{number:02}" for number in range(0, CLIENTS, 5)} | {
    f"client{number:02}" for number in range(1, CLIENTS, 5)
}


async def listen(client: httpx.AsyncClient, name: str) -> list[str]:
    """The events of a stream; those who leave stay for three."""
    events = []
    async with client.stream("GET", f"/stream/{name}") as answer:
        async for line in answer.aiter_lines():
            if line:
                events.append(line.removeprefix("data: "))
            if name in LEAVE and len(events) == 3:
                break
    return events


async def crowd(server: Server) -> None:
    names = [f"client{number:02}" for number in range(CLIENTS)]
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
        heard = await asyncio.gather(*(listen(client, name) for name in names))
        step("what each heard", dict(zip(names, heard, strict=True)))
        until("all who left are cancelled", 20, lambda: len(noted("cancelled")) == len(LEAVE))
        step("cancelled", noted("cancelled"))
        step("came to their end", noted("ended"))
        await asyncio.sleep(0.5)
        words = noted("talked")
        await asyncio.sleep(1)
        step("what was cancelled still runs", noted("talked") != words)
        paths = [f"/{how}/{name}" for how in ("threaded", "awaited") for name in names]
        answers = await asyncio.gather(*(client.get(path) for path in paths))
        step("goes on", [(answer.status_code, answer.json()) for answer in answers])


def main() -> None:
    port = free_port()
    command = ["uvicorn", "app:app", "--app-dir", str(Path(__file__).parent)]
    with serving([*command, "--port", str(port), "--workers", "2"], port, "/version") as server:
        asyncio.run(crowd(server))
        step("exit status", server.stop())
        step("tracebacks", server.log().count("Traceback"))


if __name__ == "__main__":
    main()
