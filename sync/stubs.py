"""Stubs that name this package's modules as `langgraph`'s, for type checkers and editors.

`make places` writes them, and `make lint` fails when they are not current. They only say where a
name is defined; types and documentation stand there.

Where `langgraph` itself is not installed, ``langgraph_rust_stubs.pth`` puts the folder they are in
on the path: stubs that lie in site-packages would be preferred to an installed `langgraph`. Its
name is no module's, so that nothing can be imported from it. The files are ``.py``, because Pyright
misses the sources of ``.pyi`` files; but mypy passes over a folder of stubs without an ``__init__``
when another distribution has one of the same name, and wants ``.pyi`` for the outermost.
``py.typed`` does not say "partial": if it did, Pyright would look into `langgraph`'s own folder
alone as soon as another distribution, such as a saver, has put that there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sync.api.lookup import Sources, read_sources
from sync.api.manifest import MANIFEST_FILE, NAMESPACE, load_manifest
from sync.api.model import Module
from sync.pins import ROOT

PACKAGE = Path("langgraph-py") / "python" / "langgraph_rust"
IN_SITE_PACKAGES = Path("langgraph-py") / "langgraph_rust.data" / "purelib"
STUBS = IN_SITE_PACKAGES / "langgraph_rust" / "_stubs" / "langgraph-stubs"
HEADER = "# Written by `make places`.\n"

_OWN_MODULES = frozenset(("__main__", "pytest_plugin"))
# Where modules stand that upstream has one level higher; see there.
_DRAWER = "_upstream"
_DEFINED = frozenset(("function", "class", "value", "helper"))


def stubs(root: Path) -> dict[Path, str]:
    """The files, by their path below `STUBS`, and what must be in them."""
    sources = read_sources(root / PACKAGE)
    _, upstream = load_manifest(root / MANIFEST_FILE.relative_to(ROOT))
    files = {Path("py.typed"): ""}
    for name, module in sorted(sources.modules.items()):
        parts = _upstream_path(name)
        original = _original(name, module, sources)
        if parts is None:
            continue
        public = upstream.get(".".join((NAMESPACE, *parts)))
        if not (text := _stub(original, sources, public.names if public else ())):
            continue
        is_package = (root / PACKAGE).joinpath(*parts, "__init__.py").exists()
        path = Path(*parts, "__init__.py") if is_package else Path(*parts).with_suffix(".py")
        files[path] = HEADER + text
    folders = {folder for path in files for folder in path.parents}
    without = (folder for folder in folders if folder / "__init__.py" not in files)
    return files | {folder / "__init__.pyi": HEADER for folder in without}


def stale(root: Path) -> list[Path]:
    """The stubs that say something else than they must, are missing, or should not be there."""
    wanted = stubs(root)
    found = {path.relative_to(root / STUBS) for path in (root / STUBS).rglob("*") if path.is_file()}
    wrong = {
        path
        for path in wanted.keys() & found
        if (root / STUBS / path).read_text(encoding="utf-8") != wanted[path]
    }
    return sorted(STUBS / path for path in wrong | (wanted.keys() ^ found))


def write(root: Path) -> None:
    """Write all of them, and nothing else into their folder."""
    wanted = stubs(root)
    shutil.rmtree(root / STUBS, ignore_errors=True)
    for path, text in wanted.items():
        (root / STUBS / path).parent.mkdir(parents=True, exist_ok=True)
        (root / STUBS / path).write_text(text, encoding="utf-8")


def _upstream_path(name: str) -> tuple[str, ...] | None:
    """Where upstream has a module of ours, below its package; nothing for those of our own."""
    parts = tuple(name.split(".")[1:])
    if _DRAWER in parts[:-1]:
        return tuple(part for part in parts if part != _DRAWER)
    is_own = not parts or parts[0] in _OWN_MODULES or any(part.startswith("_") for part in parts)
    return None if is_own else parts


def _original(name: str, module: Module, sources: Sources) -> str:
    """The module itself; of one in the drawer the one that it is another name of."""
    if _DRAWER not in name.split("."):
        return name
    targets = [entry.target for entry in module.names.values() if entry.kind == "import"]
    found = [t.replace(":", ".") for t in targets if t and t.replace(":", ".") in sources.modules]
    return found[0] if found else name


def _stub(name: str, sources: Sources, public: Iterable[str]) -> str:
    """The text that hands on what a module offers, of the names `public` upstream those it has.

    It is empty if that is nothing.
    """
    module = sources.modules[name]
    exports = module.exports or []
    offered = sorted({*exports, *_defined(module), *public})
    known = [item for item in offered if sources.find(name, item) is not None]
    if not known:
        return ""
    lines = [f"from {name} import {item} as {item}" for item in known]
    if shown := [item for item in exports if item in known]:
        lines += ["", "__all__ = [", *(f"    {json.dumps(item)}," for item in shown), "]"]
    return "\n".join(lines) + "\n"


def _defined(module: Module) -> Iterator[str]:
    for name, entry in module.names.items():
        if entry.kind in _DEFINED and not name.startswith("_"):
            yield name
