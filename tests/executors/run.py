"""``python -m tests.executors.run KIND [SCENARIO...]``: prints what each gives under an executor.

`KIND` is `inline`, `process`, `ray` (a task for each call) or `actors` (warm actors of Ray's).
Lines of JSON: the name of a scenario, what it gave as text, how long it took, in seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from tests.executors.scenarios import SCENARIOS

EXECUTORS: dict[str, Any] = {
    "inline": None,
    "process": {"kind": "process"},
    "ray": {"kind": "ray", "num_cpus": 0.25},
    "actors": {"kind": "ray", "actors": 2, "num_cpus": 0.25},
}


def main(kind: str, *names: str) -> None:
    """Run the scenarios that are named, or all."""
    if kind in ("ray", "actors"):
        import ray

        # Whatever else runs on this machine is none of this.
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    for name in names or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            try:
                given = repr(SCENARIOS[name](EXECUTORS[kind], Path(folder)))
            except Exception:
                given = traceback.format_exc()
            took = time.monotonic() - began
        print(json.dumps([name, given, round(took, 3)]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
