"""``python -m tests.docs.names``: every public name is documented, and listed in the reference.

Public is what upstream's API manifest names and this package has, what its modules list here, and
what the modules of this package's own (`OWN`) do. Sources and stubs are read as the site reads
them, by griffe, so this runs in the site's environment, when the site is built.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from griffe import Alias, AliasResolutionError, Class, Function, GriffeLoader, Object

from sync.api.manifest import load_manifest
from sync.pins import ROOT

PACKAGE = "langgraph_rust"
OWN = (PACKAGE, f"{PACKAGE}.checkpoint.serde.errors", f"{PACKAGE}.runs", f"{PACKAGE}.viewer")
"""Public modules that upstream lacks."""

DUNDERS = {"__version__"}
INVENTORY = ROOT / ".cache" / "site" / "objects.inv"


def load_package() -> GriffeLoader:
    """The package's sources, with what names stand for."""
    loader = GriffeLoader(search_paths=[ROOT / "langgraph-py" / "python"], allow_inspection=False)
    loader.load(PACKAGE)
    loader.resolve_aliases(external=False)
    return loader


def public_names(loader: GriffeLoader) -> dict[str, Object]:
    """Public names by their full path, each with what it stands for.

    What comes from other packages is documented there, so it is left out.
    """
    modules: dict[str, set[str]] = {module: set() for module in OWN}
    for module, entry in load_manifest()[1].items():
        modules[f"{PACKAGE}{module.removeprefix('langgraph')}"] = set(entry.names)
    for module, listed in modules.items():
        own = loader.modules_collection[module].exports or ()
        # Upstream's private names are there for programs that reach for them.
        listed |= {name for name in map(str, own) if name in DUNDERS or not name.startswith("_")}
    wanted = [f"{module}.{name}" for module, listed in modules.items() for name in sorted(listed)]
    found = ((path, _target(loader, path)) for path in dict.fromkeys(wanted))
    return {path: target for path, target in found if target is not None}


def undocumented(names: dict[str, Object]) -> Iterator[str]:
    """The paths of names, and of public members of classes among them, without documentation."""
    for path, target in names.items():
        if target.docstring is None:
            yield path
        if isinstance(target, Class):
            yield from (f"{path}.{name}" for name in _silent_members(target))


def not_in_reference(names: dict[str, Object], listed: set[str]) -> Iterator[str]:
    """The paths of names that the reference lists nowhere."""
    for path, target in names.items():
        if path not in listed and target.canonical_path not in listed:
            yield path


def read_inventory(path: Path) -> set[str]:
    """The paths of what the site's reference lists."""
    # Four lines of text, then the entries, compressed: name, kind, and where it is.
    packed = path.read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}


def _target(loader: GriffeLoader, path: str) -> Object | None:
    try:
        found = loader.modules_collection[path]
        return found.final_target if isinstance(found, Alias) else found
    except (AliasResolutionError, KeyError):
        return None


def _silent_members(target: Class) -> Iterator[str]:
    """Public members without documentation, here, in a base, or among the class's arguments.

    What only `__init__` sets is how the class works.
    """
    said = target.docstring.value if target.docstring else ""
    for name in _public_members(target):
        sources = [target, *target.mro()]
        known = (source.members.get(name) for source in sources)
        if any(m is not None and not isinstance(m, Alias) and m.docstring for m in known):
            continue
        if not re.search(rf"^\s*{name}\b|`{name}\b", said, re.M):
            yield name


def _public_members(target: Class) -> list[str]:
    return [
        name
        for name, member in target.members.items()
        if not (
            name.startswith("_") or isinstance(member, Alias) or _is_set_in_methods(target, member)
        )
    ]


def _is_set_in_methods(target: Class, member: Object) -> bool:
    line = member.lineno or 0
    methods = (other for other in target.members.values() if isinstance(other, Function))
    return member.is_attribute and any(
        (method.lineno or 0) <= line <= (method.endlineno or 0) for method in methods
    )


def main() -> int:
    """Check; returns the process's exit status."""
    names = public_names(load_package())
    silent = list(undocumented(names))
    missing = list(not_in_reference(names, read_inventory(INVENTORY)))
    for path in silent:
        print(f"{path} has no documentation")
    for path in missing:
        print(f"{path} is not in the reference (docs/reference)")
    classes = {t.canonical_path: t for t in names.values() if isinstance(t, Class)}
    members = sum(len(_public_members(target)) for target in classes.values())
    public = f"{len(names)} public, with {members} members"
    print(f"names: {public}, {len(silent)} undocumented, {len(missing)} not listed")
    return 1 if silent or missing or not names else 0


if __name__ == "__main__":
    sys.exit(main())
