"""`langgraph dev`, as its documentation starts it, and langgraph-sdk."""

from __future__ import annotations

import json
from pathlib import Path

from platform_client import Chapters
from serving import free_port, serving
from transcript import step

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
        Chapters(server.url, GRAPH).run_all()
        step("exit status", server.stop())


if __name__ == "__main__":
    main()
