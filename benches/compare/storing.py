"""A program that stores supersteps in SQLite, for whoever watches it from outside.

``python -m benches.compare.storing --side ours --threads 8 --laps 50``, run by the interpreter of a
side.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from benches.compare.cases.durable import SqliteSteps
from benches.compare.sides import OURS, UPSTREAM


class _Laps(SqliteSteps):
    """The case with another number of supersteps."""

    def __init__(self, laps: int) -> None:
        self.laps = laps
        super().__init__()


def main() -> None:
    """Each thread stores its own supersteps; all begin together."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", choices=(OURS, UPSTREAM), required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--laps", type=int, required=True)
    options = parser.parse_args()
    if options.side == OURS:
        import langgraph_rust

        langgraph_rust.install()
    run = _Laps(options.laps).graph("sync")
    together = Barrier(options.threads)

    def count() -> None:
        together.wait()
        run()

    with ThreadPoolExecutor(options.threads) as pool:
        for future in [pool.submit(count) for _ in range(options.threads)]:
            future.result()


if __name__ == "__main__":
    main()
