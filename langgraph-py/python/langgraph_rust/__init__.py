"""LangGraph's Python API on a Rust engine.

Import what you need from the submodules, which have the names of LangGraph's own:
`langgraph_rust.graph`, `.types`, `.func`, `.checkpoint.memory`, ...

To run an unchanged program, or a library written for `langgraph`, call `install()` before it is
imported: `langgraph` is then this package in the whole process. `python -m langgraph_rust app.py`
and `pytest -p langgraph_rust.pytest_plugin` do it for you.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ("__version__", "install")

if TYPE_CHECKING:
    from collections.abc import Iterable

    __version__: str


def install(
    *,
    keep: Iterable[str] | None = None,
    strict: bool | None = None,
    accelerate: bool | None = None,
) -> None:
    """Make `import langgraph` mean this package, for the whole process.

    Calling it again does nothing. Modules of other distributions (`langgraph.checkpoint.redis`,
    ...) keep their names and can be imported as before.

    Args:
        keep: Modules of sibling distributions, such as `langgraph.checkpoint.sqlite`, that are
            to stay what they are though this package has its own. By default what the environment
            variable `LANGGRAPH_RUST_KEEP` names, separated by commas.
        strict: Whether stored values are read as under this package's own name: types that nobody
            has allowed, and what cannot be rebuilt, are errors, and so are unencrypted values where
            encryption is on. And whether mistakes that LangGraph accepts are errors rather than
            warnings (`docs/mistakes.md`). By default whether the environment variable
            `LANGGRAPH_RUST_STRICT` is on (`1`, `true`, `yes` or `on`); otherwise values are read as
            LangGraph reads them.
        accelerate: Whether tools and chat models of langchain-core, whoever invokes them, leave out
            what only callback handlers need when there are none. By default whether the environment
            variable `LANGGRAPH_RUST_ACCELERATE` is on. It can be asked for in a later call.

    Raises:
        RuntimeError: Modules of another `langgraph` are imported already; the message names them.
            Or `strict` is asked for, and it was called before without.
        ValueError: an environment variable says neither on nor off (`1`, `true`, `yes`, `on`; `0`,
            `false`, `no`, `off`, nothing). Or `keep` names something that only LangGraph itself
            has.
    """
    from langgraph_rust import _dropin

    _dropin.install(keep, strict, accelerate)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Reading metadata of a distribution is slow, and few need the answer.
        from importlib.metadata import PackageNotFoundError, version

        try:
            value = version("langgraph-rust")
        except PackageNotFoundError:  # used from a source tree
            value = ""
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
