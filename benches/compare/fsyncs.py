"""How often a superstep makes the disk be waited for: counted, not timed.

strace counts what a program (`storing`) and its threads ask of the kernel. The same program with
fewer supersteps is subtracted, so that opening and closing the database does not count.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benches.compare.cases.durable import THREADS
from benches.compare.places import Places
from benches.compare.rounds import side_environment
from benches.compare.sides import OURS, UPSTREAM
from sync.pins import ROOT

FEW, MANY = 10, 60
"""Supersteps of each thread, in the program that is subtracted and in the one that is counted."""

SECONDS = 300
"""Much more than a program takes."""


def measure_fsyncs(places: Places) -> dict[str, dict[str, float]] | str:
    """Of a superstep stored in SQLite with durability ``sync``: by side, alone and with threads.

    A text instead says why they could not be counted.
    """
    if shutil.which("strace") is None:
        return "not counted: strace is not installed"
    try:
        return {
            side: {
                f"{n} thread{'s' * (n > 1)}": _of_superstep(places, side, n) for n in (1, THREADS)
            }
            for side in (OURS, UPSTREAM)
        }
    except (subprocess.SubprocessError, ValueError) as error:
        return f"not counted: {error}"


def fsync_lines(counted: dict[str, dict[str, float]] | str) -> str:
    """What was counted, a line for each side."""
    if isinstance(counted, str):
        return f"fsyncs: {counted}"
    return "\n".join(
        f"fsyncs a superstep, {side:9} "
        + ", ".join(f"{many:.2f} with {threads}" for threads, many in found.items())
        for side, found in counted.items()
    )


def _of_superstep(places: Places, side: str, threads: int) -> float:
    few, many = (_count(places, side, threads, laps) for laps in (FEW, MANY))
    return (many - few) / (threads * (MANY - FEW))


def _count(places: Places, side: str, threads: int, laps: int) -> int:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "calls"
        # -c counts; with --seccomp-bpf nothing else than these calls is slowed down.
        watch = ["strace", "-f", "-c", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", out]
        program = [places.interpreters[side], "-m", "benches.compare.storing", "--side", side]
        options = ["--threads", threads, "--laps", laps]
        subprocess.run(
            [str(part) for part in (*watch, *program, *options)],
            cwd=ROOT,
            env=side_environment(places, None),
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )
        return calls(out.read_text())


def calls(table: str) -> int:
    """The calls in strace's table that wait for the disk, of either kind."""
    line = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*\bf(?:data)?sync$", re.MULTILINE)
    return sum(map(int, line.findall(table)))
