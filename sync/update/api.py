"""What changed between two releases in upstream's public API, and what of it is missing here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.api.compare import compare
from sync.api.lookup import Sources, read_sources
from sync.api.model import Module
from sync.api.signatures import same_signature


@dataclass(frozen=True)
class SignatureChange:
    """Something that takes other parameters, or became callable, or is callable no more."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class ApiChanges:
    """Modules, names and class members by their full dotted name."""

    new: list[str]
    gone: list[str]
    changed: list[SignatureChange]
    asked: list[str]
    """Differences between the new release and this package that the old one did not have."""


def compare_api(old: dict[str, Module], new: dict[str, Module], package: Path) -> ApiChanges:
    """Hold two releases against each other, and the newer one against this package's sources."""
    before, after = dict(_surface(old)), dict(_surface(new))
    changed = [
        SignatureChange(name, before[name], after[name])
        for name in sorted(before.keys() & after.keys())
        if not _alike(before[name], after[name])
    ]
    sources = read_sources(package)
    known = set(_differences(old, sources))
    asked = [line for line in _differences(new, sources) if line not in known]
    return ApiChanges(
        new=sorted(after.keys() - before.keys()),
        gone=sorted(before.keys() - after.keys()),
        changed=changed,
        asked=asked,
    )


def _surface(modules: dict[str, Module]) -> Iterator[tuple[str, str]]:
    """Every public thing, with what its users must know of it."""
    for module, content in modules.items():
        yield module, "module"
        for key, name in content.names.items():
            yield f"{module}.{key}", _shown(name.kind, name.signature)
            for member, entry in name.members.items():
                yield f"{module}.{key}.{member}", _shown(entry.kind, entry.signature)


def _shown(kind: str, signature: str | None) -> str:
    """How it is called, if the sources say so; else only whether it is a class."""
    if signature is not None:
        return f"({signature})"
    return kind if kind in ("class", "property") else "value"


def _alike(old: str, new: str) -> bool:
    if old.startswith("(") and new.startswith("("):
        return same_signature(old[1:-1], new[1:-1])
    return old == new


def _differences(manifest: dict[str, Module], sources: Sources) -> Iterator[str]:
    result = compare(manifest, sources)
    yield from (f"missing module {name}" for name, _ in result.missing_modules)
    for module, lines in result.differences.items():
        for line in lines:
            what, _, rest = line.partition(" ")
            yield f"{what} {module}.{rest.strip().splitlines()[0]}"
