"""aegra on a database of its own, and langgraph-sdk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psycopg
from platform_client import Chapters
from serving import free_port, serving
from transcript import step

GRAPH = "assistant"


def main() -> None:
    name = f"client_{os.getpid()}"
    postgres = os.environ["CLIENTS_DATABASE"]
    with psycopg.connect(f"{postgres}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    Path("app.py").write_text("from assistant import graph\n", encoding="utf-8")
    settings = {"graphs": {GRAPH: "./app.py:graph"}}
    Path("aegra.json").write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    command = ["uvicorn", "aegra_api.main:app", "--port", str(port)]
    with serving(command, port, "/health", DATABASE_URL=postgres + name) as server:
        Chapters(server.url, GRAPH).run_all()
        step("exit status", server.stop())


if __name__ == "__main__":
    main()
