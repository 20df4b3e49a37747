"""LangSmith's runs, as an endpoint in this process receives them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RUNS: dict[str, dict[str, Any]] = {}
"""What was received, by the run's id."""

KEPT = ("run_type", "inputs", "outputs", "tags", "events", "extra")

SETTINGS = {
    "version": "0.13.0",
    "batch_ingest_config": {
        "use_multipart_endpoint": False,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 1,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20971520,
    },
}


class Endpoint(BaseHTTPRequestHandler):
    """What a tracer asks of LangSmith."""

    def do_GET(self) -> None:
        self._answer(SETTINGS)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        batch = body if self.path.endswith("/batch") else {"post": [body]}
        for run in [*batch.get("post", ()), *batch.get("patch", ())]:
            known = RUNS.setdefault(run["id"], {})
            known.update({key: value for key, value in run.items() if value is not None})
        self._answer({})

    do_PATCH = do_POST

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["LANGSMITH_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
    os.environ["LANGSMITH_API_KEY"] = "of-nobody"
    os.environ["LANGSMITH_TRACING"] = "true"

    from langchain_core.tracers.langchain import wait_for_all_tracers
    from traced import Record, trace, without_frames

    def records() -> Iterable[Record]:
        wait_for_all_tracers()
        runs = dict(RUNS)
        RUNS.clear()
        for name, run in runs.items():
            shown = {key: without_machine(run.get(key)) for key in KEPT}
            shown["error"] = without_frames(run.get("error"))
            yield Record(name, run.get("parent_run_id"), run.get("name", ""), shown)

    trace(records)
    server.shutdown()


def without_machine(value: Any) -> Any:
    """A value without what is told of the machine, and of when."""
    if isinstance(value, dict):
        passing = ("runtime", "time", "revision_id")
        return {key: without_machine(each) for key, each in value.items() if key not in passing}
    if isinstance(value, list):
        return [without_machine(each) for each in value]
    return value


if __name__ == "__main__":
    main()
