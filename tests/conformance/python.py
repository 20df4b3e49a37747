"""Find a Python that can do something that not every build of Python can."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_PROBE = """\
import ensurepip, importlib, sys
sys.implementation.cache_tag == {tag!r} or sys.exit(1)
{module} = importlib.import_module({module!r})
{attribute}
print(sys.executable)
"""


def find_python(attribute: str) -> Path | None:
    """An interpreter that has ``module.attribute``, of the version that this package is built for.

    The one that runs this comes first, then those on the path. It can make virtual environments.
    """
    module = attribute.partition(".")[0]
    tag = sys.implementation.cache_tag
    probe = _PROBE.format(tag=tag, module=module, attribute=attribute)
    for candidate in _candidates():
        result = subprocess.run([candidate, "-c", probe], capture_output=True, text=True)
        if result.returncode == 0:
            return Path(result.stdout.strip())
    return None


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    names = (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3")
    for folder in os.get_exec_path():
        for name in names:
            if os.access(path := Path(folder) / name, os.X_OK):
                yield path
