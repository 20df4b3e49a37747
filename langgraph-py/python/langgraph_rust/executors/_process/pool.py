"""A pool of worker processes."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from langgraph_rust.executors._later import Later
from langgraph_rust.executors._process.worker import Worker
from langgraph_rust.executors.base import Call, Executor, Message, Running


class ProcessExecutor(Executor):
    """Runs nodes in processes of this machine, several at the same time.

    Workers are fresh interpreters, not forks: nothing of this process is in them but what a node
    brings along, its `sys.path`, its working folder and its environment. `__main__` is not
    imported there.

    Args:
        workers: How many there may be; the number of processors by default. Calls beyond that wait.
        idle: After how many seconds without a call a worker ends.

    Raises:
        ValueError: There can be no such number of workers, or of seconds.
    """

    def __init__(self, workers: int | None = None, *, idle: float = 300.0) -> None:
        if workers is not None and (type(workers) is not int or workers < 1):
            raise ValueError(f"workers must be a whole number from 1 on, not {workers!r}")
        if not isinstance(idle, (int, float)) or not idle >= 0:
            raise ValueError(f"idle must be a number of seconds from 0 on, not {idle!r}")
        if os.name != "posix":
            raise NotImplementedError("The executor 'process' needs a POSIX system")
        self.workers = workers or os.cpu_count() or 1
        self.idle = idle
        self._reset()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def _forget(self) -> None:
        """Let go of all workers: those of the process that this one was forked from are its own."""
        for worker in list(self._all):
            worker.forget()
        self._reset()

    def _reset(self) -> None:
        self._all: WeakSet[Worker] = WeakSet()
        self._lock = threading.Condition()
        self._free: list[Worker] = []
        self._count = 0
        self._closed = 0
        self._later = Later(self._look_for_idle)

    def check(self, options: Mapping[str, Any]) -> None:
        """There are no options."""
        for name in options:
            raise ValueError(
                f"the executor 'process' has no option {name!r}; how many processes there are is "
                'said once, with register("process", ProcessExecutor(workers=4))'
            )

    def start(self, call: Call) -> Running:
        """Begin a call, or have it begin as soon as a worker is free."""
        return _Process(self, call)

    def close(self) -> None:
        """End all idle workers; those that run a node end with that."""
        with self._lock:
            free, self._free = self._free, []
            self._count -= len(free)
            self._closed += 1
            self._lock.notify_all()
        for worker in free:
            worker.kill()

    # --- for calls ---

    def _take(self, timeout: float) -> tuple[Worker, int] | None:
        """Take a worker; `None` if there is none for `timeout` seconds."""
        with self._lock:
            self._retire()
            if not self._free and self._count >= self.workers:
                self._lock.wait(timeout)
            while self._free:
                worker = self._free.pop()
                if worker.is_alive():
                    return worker, self._closed
                self._count -= 1
            if self._count >= self.workers:
                return None
            self._count += 1
            closed = self._closed
        try:
            worker = Worker()
            self._all.add(worker)
            return worker, closed
        except BaseException:
            self._lose()
            raise

    def _give(self, worker: Worker, closed: int) -> None:
        with self._lock:
            # One that was lent out has come back when there were others in its place.
            if closed == self._closed and self._count <= self.workers:
                worker.free_since = time.monotonic()
                self._free.append(worker)
                self._lock.notify()
                self._later.begin(self.idle)
                return
        worker.kill()
        self._lose()

    def _lose(self) -> None:
        with self._lock:
            self._count -= 1
            self._lock.notify()

    def _lend(self, lent: bool) -> None:
        with self._lock:
            self._count -= 1 if lent else -1
            spare = self._free[: max(0, self._count - self.workers)]
            del self._free[: len(spare)]
            self._count -= len(spare)
            self._lock.notify()
        for worker in spare:
            worker.kill()

    def _look_for_idle(self) -> None:
        with self._lock:
            self._retire()
            if self._free:
                self._later.begin(self.idle)

    def _retire(self) -> None:
        now = time.monotonic()
        for worker in [w for w in self._free if now - w.free_since >= self.idle]:
            self._free.remove(worker)
            self._count -= 1
            worker.kill()


class _Process(Running):
    """A call that waits for a worker, or has one."""

    def __init__(self, pool: ProcessExecutor, call: Call) -> None:
        self._pool = pool
        self._call = call
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._closed = 0
        self._is_over = False
        self._lent = 0

    @property
    def is_waiting(self) -> bool:
        return self._worker is None or not self._worker.is_ready

    def next(self, timeout: float) -> Message | None:
        worker = self._worker
        if worker is None:
            taken = self._pool._take(timeout)
            if taken is None:
                return None
            worker, self._closed = taken
            with self._lock:
                if self._is_over:
                    self._pool._give(*taken)
                    return None
                self._worker = worker
            worker.begin(self._call)
        message = worker.next(timeout, self._call.node)
        if message is not None and message.kind == "done":
            with self._lock:
                if not self._is_over:
                    self._is_over = True
                    if self._lent:
                        self._pool._lend(False)
                    self._pool._give(worker, self._closed)
        return message

    def answer(self, number: int, body: bytes) -> None:
        with self._lock:
            if self._worker is not None and not self._is_over:
                with suppress(OSError):
                    self._worker.answer(number, body)

    def lend(self, lent: bool) -> None:
        with self._lock:
            if self._is_over:
                return
            before, self._lent = self._lent, self._lent + (1 if lent else -1)
            if before == 0 or self._lent == 0:
                self._pool._lend(lent)

    def cancel(self) -> None:
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
            worker = self._worker
            if self._lent:
                self._pool._lend(False)
        if worker is not None:
            worker.kill()
            self._pool._lose()
