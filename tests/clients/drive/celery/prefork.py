"""A worker with two processes, and what its tasks return."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

for folder in ("queue", "processed", "results"):
    Path(folder).mkdir(exist_ok=True)

from tasks import fails, killed, on_a_loop, on_sqlite, side_by_side, too_long  # noqa: E402
from transcript import noted, step, until  # noqa: E402


def results(name: str, asked: list[Any]) -> None:
    """Note what tasks return, or how they fail."""
    told = []
    for each in asked:
        value = each.get(timeout=60, propagate=False)
        told.append(f"{type(value).__name__}: {value}" if isinstance(value, Exception) else value)
    step(name, told)


def drive() -> None:
    names = [f"task{number}" for number in range(8)]
    results("side by side", [side_by_side.delay(name) for name in names])
    results("on a loop", [on_a_loop.delay(name) for name in names])
    results("asked", [on_sqlite.delay(name, None) for name in names])
    results("answered", [on_sqlite.delay(name, f"yes {name}") for name in names])
    results("fails", [fails.delay()])
    results("too long", [too_long.delay()])
    before = len(noted("began"))
    lost = killed.delay()
    began = until("the task begins", 30, lambda: noted("began")[before:] and noted_last())
    os.kill(int(began), signal.SIGKILL)
    step("killed", type(lost.get(timeout=60, propagate=False)).__name__)
    results("goes on", [side_by_side.delay(f"{name} again") for name in names])


def noted_last() -> str:
    """Which process began an endless task last."""
    return Path("notes.txt").read_text(encoding="utf-8").splitlines()[-1].split()[1]


def main() -> None:
    options = ["--pool", "prefork", "--concurrency", "2", "--loglevel", "info"]
    with open("worker.log", "wb") as log:
        command = [sys.executable, "-m", "celery", "-A", "tasks", "worker", *options]
        worker = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        drive()
        worker.send_signal(signal.SIGTERM)
        step("exit status", worker.wait(60))
    except BaseException:
        print(*Path("worker.log").read_text(encoding="utf-8").splitlines()[-40:], sep="\n")
        raise
    finally:
        worker.kill()
        worker.wait()


if __name__ == "__main__":
    main()
