"""LangGraph's Python API on a Rust engine.

Import what you need from the submodules, which have the names of LangGraph's own:
`langgraph_rust.graph`, `.types`, `.func`, `.checkpoint.memory`, ...

To run an unchanged program, or a library written for `langgraph`, set `LANGGRAPH_RUST=1`, or call
`install()` before it is imported: `langgraph` is then this package in the whole process.
`langgraph-rust app.py`, `python -m langgraph_rust app.py` and `pytest -p
langgraph_rust.pytest_plugin` do it for you.
"""

from __future__ import annotations

import sys

__all__ = ("__version__", "install", "is_active", "uninstall")

TYPE_CHECKING = False  # not typing's: this is loaded when a Python process starts switched on
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    __version__: str
    """This package's own version; the one of LangGraph's that it follows is in `version`."""


def install(
    *,
    keep: Iterable[str] | None = None,
    strict: bool | None = None,
    accelerate: bool | None = None,
    children: bool = False,
) -> None:
    """Make `import langgraph` mean this package, for the whole process.

    Calling it again changes nothing. Modules of other distributions (`langgraph.checkpoint.redis`,
    ...) keep their names and can be imported as before.

    Where the environment variable `LANGGRAPH_RUST` is off (`0`, `false`, `no`, `off`, nothing),
    this does nothing but say so, once, on stderr: whoever runs a program can so go back to
    LangGraph without changing it.

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
        children: Whether Python processes that this one starts are to do the same, with the same
            options: it sets `LANGGRAPH_RUST=1` and the variables above for them. It can be asked
            for in a later call.

    Raises:
        RuntimeError: Modules of another `langgraph` are imported already; the message names some,
            and who imported them. Or `strict` is asked for, and it was called before without.
        ValueError: an environment variable says neither on nor off (`1`, `true`, `yes`, `on`; `0`,
            `false`, `no`, `off`, nothing). Or `keep` names something that only LangGraph itself
            has.
    """
    from langgraph_rust import _dropin

    _dropin.install(keep, strict, accelerate, children)


def uninstall() -> None:
    """Undo `install()`: `import langgraph` means LangGraph as installed again.

    That is possible as long as nobody has imported `langgraph`. What `children=True` has set is
    set back, tools and models stay accelerated. It does nothing where drop-in mode is not on.

    Raises:
        RuntimeError: Modules of `langgraph` are imported; the message names some, and who imported
            them.
    """
    from langgraph_rust import _dropin

    _dropin.uninstall()


def is_active() -> bool:
    """Whether `import langgraph` means this package in this process."""
    dropin = sys.modules.get(f"{__name__}._dropin")
    return dropin is not None and dropin.is_installed()


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
