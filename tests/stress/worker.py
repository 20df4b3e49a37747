"""``python -m tests.stress.worker SECONDS``: what is wrong with each program on standard input.

A program that takes more seconds than the argument says ends the process, with the stacks of all
threads on standard error.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

from tests.stress.checks import Finding, findings
from tests.stress.generate import program as generated
from tests.stress.perform import Refs, perform
from tests.stress.runs import wait_until

IDLE = 30
"""Seconds in which workers that have nothing to do must have gone."""

FREEZES = 20
"""Programs after which the collector is told what need not be looked at."""

KEPT = 40
"""Workers that may stay for good."""


def main() -> None:
    """Answer each line, a seed or a program, with a line of findings."""
    hangs_after = float(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    for number, line in enumerate(sys.stdin):
        if number % FREEZES == 1:
            # What was imported by now stays; the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
        asked = json.loads(line)
        faulthandler.dump_traceback_later(hangs_after, exit=True)
        answer = _answer(asked)
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps([finding.plain() for finding in answer]) + "\n")
        answers.flush()


def _answer(asked: Any) -> list[Finding]:
    if asked == "end":
        return _retired()
    return judged(asked if isinstance(asked, dict) else generated(asked))


def judged(program: dict[str, Any]) -> list[Finding]:
    """Everything that is wrong with a program."""
    refs: Refs = []
    try:
        found, loop_ended = _findings(program, refs)
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        traceback.clear_frames(error.__traceback__)
        return [Finding("instrument", type(error).__name__, text)]
    if loop_ended:
        # What an exit out of the event loop raised holds on to everything; it goes here, so that
        # what is said of it is not put down to the next program.
        gc.collect()
        return found
    return found + alive(refs)


def _findings(program: dict[str, Any], refs: Refs) -> tuple[list[Finding], bool]:
    seen = perform(program, refs)
    return findings(seen), seen.loop_ended


def alive(refs: Refs) -> list[Finding]:
    """Objects that ought to be gone."""
    for _ in range(2):
        gc.collect()
    # A worker that has just done its work may hold the last of it for a moment.
    if not wait_until(lambda: not _living(refs), 0.05):
        wait_until(lambda: not (gc.collect(), _living(refs))[1], 0.3)
    return [Finding("objects", kind, "still alive") for kind in sorted(set(_living(refs)))]


def _living(refs: Refs) -> list[str]:
    return [kind for kind, ref in refs if ref() is not None]


def _retired() -> list[Finding]:
    """Whether workers go when nobody needs them."""
    faulthandler.dump_traceback_later(2 * IDLE, exit=True)
    if wait_until(lambda: threading.active_count() <= KEPT, IDLE):
        return []
    return [Finding("threads", "workers stay", f"{threading.active_count()} threads")]


if __name__ == "__main__":
    main()
