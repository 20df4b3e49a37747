"""Sets of test ids as text files that stay small and give readable diffs.

One section per test file, one line per test function, its parameter sets behind the name::

    # test_pregel.py
    test_checkpoint_errors
    test_fork [memory] [sqlite]
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_PARAMETERS = re.compile(r"\[(.*)\]$", re.DOTALL)


def file_of(test_id: str) -> str:
    """The file a test is in: ``"test_a.py::test_b[c]"`` gives ``"test_a.py"``."""
    return test_id.partition("::")[0]


def read_ids(path: Path) -> set[str]:
    """The ids in a file that `write_ids` wrote; the empty set when there is no such file."""
    if not path.exists():
        return set()
    ids: set[str] = set()
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            section = line[2:]
        elif line and not line.startswith("#"):
            name, *parameters = line.split(" [")
            ids.update(f"{section}::{name}[{p.removesuffix(']')}]" for p in parameters)
            if not parameters:
                ids.add(f"{section}::{name}")
    return ids


def write_ids(path: Path, ids: Iterable[str], header: str) -> None:
    """Write `ids` grouped and sorted, under a one-line `header` that `read_header` gives back.

    The file is replaced as a whole, or stays what it was.

    Raises:
        ValueError: there are no ids, or one would not survive being read again.
    """
    wanted = set(ids)
    if not wanted:
        raise ValueError(f"{path.name} is not replaced by an empty list")
    scratch = path.with_name(f"{path.name}.part")
    try:
        scratch.write_text(f"#! {header}\n" + "".join(_sections(wanted)), encoding="utf-8")
        if lost := wanted ^ read_ids(scratch):
            raise ValueError(f"these test ids cannot be written to {path.name}: {sorted(lost)[:5]}")
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def read_header(path: Path) -> str:
    """The header line `write_ids` put first, or an empty string."""
    if not path.exists():
        return ""
    with path.open(encoding="utf-8") as lines:
        return next(lines, "").removeprefix("#!").strip()


def _sections(ids: set[str]) -> Iterable[str]:
    by_file: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for test_id in sorted(ids):
        file, _, test = test_id.partition("::")
        found = _PARAMETERS.search(test)
        name = test[: found.start()] if found else test
        by_file[file][name] += [found.group(1)] if found else []
    for file, tests in by_file.items():
        yield f"# {file}\n"
        for name, parameters in tests.items():
            yield " ".join([name, *(f"[{p}]" for p in parameters)]) + "\n"
