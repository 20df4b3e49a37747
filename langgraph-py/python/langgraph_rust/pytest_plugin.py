"""`pytest -p langgraph_rust.pytest_plugin`: run tests written for `langgraph` on this package."""

from __future__ import annotations

import os

from langgraph_rust import install

install()

# Workers of pytest-xdist load conftest files before plugins named on the command line, but after
# those named here.
_PLUGINS = "PYTEST_PLUGINS"
if __name__ not in os.environ.get(_PLUGINS, "").split(","):
    os.environ[_PLUGINS] = ",".join(filter(None, (os.environ.get(_PLUGINS), __name__)))
