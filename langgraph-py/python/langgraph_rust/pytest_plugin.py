"""`pytest -p langgraph_rust.pytest_plugin`: run tests written for `langgraph` on this package."""

from __future__ import annotations

import os

from langgraph_rust import install, is_active

install(children=True)

# Workers of pytest-xdist load conftest files before plugins named on the command line, but after
# those named here.
_PLUGINS = "PYTEST_PLUGINS"
if __name__ not in os.environ.get(_PLUGINS, "").split(","):
    os.environ[_PLUGINS] = ",".join(filter(None, (os.environ.get(_PLUGINS), __name__)))


def pytest_report_header() -> str:
    """Say at the head of pytest's report what `langgraph` is."""
    from langgraph_rust import __version__
    from langgraph_rust.version import __version__ as upstream

    if is_active():
        return f"langgraph: langgraph-rust {__version__ or 'from a source tree'} as {upstream}"
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"langgraph: LangGraph {version('langgraph')}, as LANGGRAPH_RUST is off"
    except PackageNotFoundError:
        return "langgraph: not installed, and LANGGRAPH_RUST is off"
