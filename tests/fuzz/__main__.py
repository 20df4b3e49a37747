"""``python -m tests.fuzz --inputs 0:10000000``: decode broken bytes, as `decoder.py` judges it.

A process that dies names its input. Exits with 1 if an input is at fault. `tests.fuzz.guided` finds
its inputs by the code that they reach.
"""

from __future__ import annotations

import argparse
import faulthandler
import mmap
import os
import struct
import sys
import time
from collections import Counter

from tests.fuzz.decoder import Decoder, limit_memory
from tests.fuzz.inputs import broken
from tests.seeds import seed_range


def main() -> int:
    """Decode what the command line asks for; returns the process's exit status."""
    options = _parse()
    began = time.monotonic()
    parts = [options.inputs[index :: options.jobs] for index in range(options.jobs)]
    processes = [_begin(part) for part in parts]
    wrong, counts = 0, Counter[str]()
    for process, shared in processes:
        _, status = os.waitpid(process, 0)
        last, values, errors, faults = struct.unpack("4q", shared[:32])
        counts.update(values=values, errors=errors)
        wrong += faults
        if status:
            wrong += 1
            print(f"fuzz: the process that decoded input {last} ended with status {status}")
    took = time.monotonic() - began
    print(
        f"fuzz: {len(options.inputs)} inputs in {took:.0f} s ({counts['values']} gave values, "
        f"{counts['errors']} errors), {wrong} wrong"
    )
    return 1 if wrong else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs", type=seed_range, default="0:200000", help="FIRST:END (default: 0:200000)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    return parser.parse_args()


def _begin(inputs: range) -> tuple[int, mmap.mmap]:
    """Decode in a process of its own; how far it is and what came of it is in the memory."""
    shared = mmap.mmap(-1, 32)
    process = os.fork()
    if process:
        return process, shared
    status = 1
    try:
        _decode_all(inputs, shared)
        status = 0
    finally:
        os._exit(status)


def _decode_all(inputs: range, shared: mmap.mmap) -> None:
    faulthandler.enable()
    limit_memory()
    decoder = Decoder()
    faults = 0
    for seed in inputs:
        shared[:32] = struct.pack("4q", seed, decoder.values, decoder.errors, faults)
        for fault in decoder.faults(broken(seed)):
            print(f"fuzz: input {seed} {fault}", flush=True)
            faults += 1
    shared[:32] = struct.pack("4q", 0, decoder.values, decoder.errors, faults)


if __name__ == "__main__":
    sys.exit(main())
