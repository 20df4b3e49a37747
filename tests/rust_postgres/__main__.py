"""``python -m tests.rust_postgres [CARGO TEST ARGUMENTS]``: serve, and run the crate's tests.

LangGraph itself begins threads before that, and afterwards goes on with those that they began.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from sync.environments import postgres_environment, say, upstream_environment
from sync.pins import ROOT
from tests.conformance.postgres import serving

THREADS = Path(__file__).parent / "threads.py"


def main() -> int:
    """Run everything; returns the first exit status that is not 0."""
    server_python = postgres_environment().ensure().python
    upstream = upstream_environment().ensure().python
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    server = f"postgres://postgres:postgres@localhost:{port}"
    environment = {
        **os.environ,
        "LANGGRAPH_RUST_POSTGRES": server,
        "LANGGRAPH_RUST_POSTGRES_THREADS": f"{server}/postgres",
    }
    cargo = ["cargo", "test", "--package", "langgraph-rust-postgres", *sys.argv[1:]]
    with serving(server_python, port):
        for command in (
            [upstream, "-m", "tests.rust_postgres.threads", "begin"],
            cargo,
            [upstream, "-m", "tests.rust_postgres.threads", "end"],
        ):
            say(" ".join(map(str, command)))
            if status := subprocess.run(command, cwd=ROOT, env=environment).returncode:
                return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
