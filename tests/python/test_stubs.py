"""Type checkers find `langgraph` where only this package is; see `sync/stubs.py`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "langgraph-py" / "langgraph_rust.data" / "purelib"
PTH = DATA / "langgraph_rust_stubs.pth"
SHOW = """
import importlib.util, site, sys
site.addsitedir(sys.argv[1])
site.addsitedir(sys.argv[1])
print([path for path in sys.path if path.endswith("_stubs")])
print(importlib.util.find_spec("langgraph") is not None)
"""


@pytest.mark.parametrize("others", [[], ["langgraph/checkpoint/redis"], ["langgraph/pregel"]])
def test_they_are_on_the_path_only_without_langgraph(tmp_path: Path, others: list[str]) -> None:
    shutil.copy(PTH, tmp_path)
    for other in others:
        (tmp_path / other).mkdir(parents=True)
    command = [sys.executable, "-S", "-c", SHOW, str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    paths, can_import = map(eval, shown.stdout.splitlines())
    is_upstream = "langgraph/pregel" in others
    assert paths == ([] if is_upstream else [str(tmp_path / "langgraph_rust" / "_stubs")])
    assert can_import == bool(others)
