"""Processes that run programs: one that hangs or dies costs one program."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from sync.pins import ROOT

PATIENCE = 60
"""Seconds after which a process is ended that its own watchdog has not; no answer takes as long."""

BATCH = 500
"""Programs per process; then it is looked at whether threads go away."""

Findings = list[dict[str, str]]


class Worker:
    """A process that judges programs, started when needed and again after it died."""

    def __init__(self, hangs_after: float = 8) -> None:
        self._hangs_after = hangs_after
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process
        return self._process.pid

    def judge(self, program: Any) -> Findings:
        """What is wrong with a program, or with that of a seed."""
        if self._process is None:
            self._start()
        process = self._process
        assert process and process.stdin and process.stdout
        try:
            process.stdin.write((json.dumps(program) + "\n").encode())
            process.stdin.flush()
        except BrokenPipeError:
            pass  # How it died is found out below.
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        if line := process.stdout.readline() if ready else b"":
            return json.loads(line)
        return [self._fate(process)]

    def close(self) -> None:
        """End the process, if there is one."""
        if process := self._process:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                # What could not be written to a process that died is still to be flushed.
                with suppress(BrokenPipeError):
                    if pipe:
                        pipe.close()
            self._process = None

    def _start(self) -> None:
        self._errors.seek(0)
        self._errors.truncate()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stress.worker", str(self._hangs_after)],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": _path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def _fate(self, process: subprocess.Popen[bytes]) -> dict[str, str]:
        """What became of a process that gave no answer."""
        try:
            code: int | None = process.wait(1)
        except subprocess.TimeoutExpired:
            code = None
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")
        self.close()
        start = text.rfind("Timeout (")
        if start >= 0 or code is None:
            stacks = _busy(text[max(start, 0) :])
            return {"check": "ends", "cause": f"hangs: {_place(stacks)}", "detail": stacks}
        return {"check": "alive", "cause": f"exit status {code}", "detail": text[-4000:]}


def search(seeds: Iterable[int]) -> Iterator[tuple[int, Findings]]:
    """What is wrong with the programs of `seeds`, as far as there is anything."""
    worker = Worker()
    try:
        for number, seed in enumerate(seeds, 1):
            if found := worker.judge(seed):
                yield seed, found
            if number % BATCH == 0:
                yield from _end(worker, seed)
        yield from _end(worker, -1)
    finally:
        worker.close()


def _end(worker: Worker, seed: int) -> Iterator[tuple[int, Findings]]:
    """End a process that has done its part, once its threads are gone."""
    if found := worker.judge("end"):
        yield seed, found
    worker.close()


def _path() -> str:
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([given, str(ROOT)] if given else [str(ROOT)])


def _busy(stacks: str) -> str:
    """The stacks without those of idle workers; the main thread's comes first."""
    threads = [one for one in re.split(r"\n(?=Thread |Current thread )", stacks) if one.strip()]
    busy = [one for one in threads if re.search(r'File ".*(?<!/threading\.py)", line', one)]
    return "\n".join(reversed(busy)) or stacks


def _place(stacks: str) -> str:
    """The innermost function of the main thread that is this package's or this folder's."""
    main = stacks.split("\nThread 0x")[0]
    ours = r'File ".*?/((?:langgraph_rust|tests/stress)/[^"]*)", line \d+ in (\S+)'
    found = re.findall(ours, main)
    return f"{found[0][0]} {found[0][1]}" if found else "somewhere"
