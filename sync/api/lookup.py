"""Find names in this package's sources and stubs, following imports and base classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sync.api.extract import read_module
from sync.api.model import Member, Module, Name

OPAQUE = Name("value")
"""Something that exists and of which the sources do not say more."""


@dataclass(frozen=True)
class Sources:
    """The modules of a package, by dotted name."""

    package: str
    modules: dict[str, Module]

    def find(self, module: str, name: str) -> Name | None:
        """What `name` is in `module`, wherever it is defined; nothing when it is not there."""
        return (self._find(module, name, frozenset()) or (None, ""))[0]

    def member(self, module: str, class_name: str, member: str) -> Member | None:
        """A class's own or inherited member."""
        found = self._find(module, class_name, frozenset())
        return self._member(*found, member, frozenset()) if found else None

    def _find(self, module: str, name: str, seen: frozenset) -> tuple[Name, str] | None:
        if (module, name) in seen or module not in self.modules:
            return None
        seen |= {(module, name)}
        source = self.modules[module]
        if entry := source.names.get(name):
            return self._follow(entry, module, seen)
        for star in source.star_imports:
            if found := self._find(star, name, seen):
                return found
        if f"{module}.{name}" in self.modules:
            return OPAQUE, module
        return (OPAQUE, module) if source.dynamic and name in (source.exports or []) else None

    def _follow(self, entry: Name, module: str, seen: frozenset) -> tuple[Name, str] | None:
        """Follow an import within the package; what comes from elsewhere is opaque."""
        if entry.kind != "import" or entry.target is None:
            return entry, module
        source, _, original = entry.target.partition(":")
        if not original or source.partition(".")[0] != self.package:
            return OPAQUE, module
        return self._find(source, original, seen)

    def _member(self, entry: Name, module: str, member: str, seen: frozenset) -> Member | None:
        if member in entry.members:
            return entry.members[member]
        for base in entry.bases:
            name = base.partition("[")[0].rpartition(".")[2]
            found = self._find(module, name, seen)
            if found and found[0] is not entry and name not in seen:
                if inherited := self._member(*found, member, seen | {name}):
                    return inherited
        return None


def read_sources(root: Path) -> Sources:
    """Read every ``.py`` and ``.pyi`` file of the package in `root`; a stub wins over a source."""
    modules: dict[str, Module] = {}
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.pyi")]):
        parts = (root.name, *path.relative_to(root).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text(encoding="utf-8")
        modules[name] = read_module(text, name, is_package=is_package, distribution=root.name)
    return Sources(root.name, modules)
