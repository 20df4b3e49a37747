"""`langgraph dev`, as its documentation starts it, and langgraph-sdk."""

from __future__ import annotations

import json
import os
from pathlib import Path

from platform_client import Chapters
from serving import Server, free_port, serving
from transcript import step, until

GRAPH = "assistant"


def main() -> None:
    # The server reads both from the folder that it is started in, and watches that.
    Path("app.py").write_text("from assistant import graph\n", encoding="utf-8")
    settings = {"dependencies": ["."], "graphs": {GRAPH: "./app.py:graph"}}
    Path("langgraph.json").write_text(json.dumps(settings), encoding="utf-8")
    port = free_port()
    command = ["langgraph_cli", "dev", "--no-browser", "--port", str(port)]
    silent = {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}
    with serving(command, port, "/ok", **silent) as server:
        chapters = Chapters(server.url, GRAPH)
        chapters.run_all()
        thread = chapters.thread()
        chapters.begin(thread, "before a reload")
        reload(server)
        chapters.goes_on(thread)
        step("exit status", server.stop())


def reload(server: Server) -> None:
    """Change the program; the server starts anew, with what it has kept in a file."""
    before = processes()
    with open("app.py", "a", encoding="utf-8") as app:
        app.write("# changed\n")
    until("a new process has the graph", 60, lambda: processes() - before)
    until("the server answers", 60, lambda: server.answers("/ok"))


def processes() -> set[str]:
    """Those that have imported the graph."""
    lines = Path(os.environ["CLIENTS_WITNESSES"]).read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines}


if __name__ == "__main__":
    main()
