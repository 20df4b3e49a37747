"""What upstream's manifest has and this package lacks or signs differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sync.api.lookup import OPAQUE, Sources
from sync.api.model import Member, Module, Name
from sync.api.signatures import same_signature

CONSTRUCTORS = ("__init__", "__new__")
_INDENT = " " * 15


@dataclass
class Tally:
    """How many there are upstream, and how many of them here."""

    wanted: int = 0
    found: int = 0

    def count(self, present: bool) -> bool:
        """Count one, and hand back whether it is there."""
        self.wanted += 1
        self.found += present
        return present

    def __str__(self) -> str:
        return f"{self.found} of {self.wanted}"


@dataclass
class Comparison:
    """The differences, module by module, and the totals."""

    missing_modules: list[tuple[str, str]] = field(default_factory=list)
    """Module and the distribution it comes from."""
    differences: dict[str, list[str]] = field(default_factory=dict)
    modules: Tally = field(default_factory=Tally)
    names: Tally = field(default_factory=Tally)
    members: Tally = field(default_factory=Tally)
    signatures: Tally = field(default_factory=Tally)

    def summary(self) -> str:
        """The totals in one line."""
        return (
            f"api: modules {self.modules}, names {self.names}, class members {self.members}, "
            f"signatures alike {self.signatures}"
        )


def compare(manifest: dict[str, Module], sources: Sources) -> Comparison:
    """Hold every public thing of `manifest` against `sources`."""
    result = Comparison()
    for name, module in manifest.items():
        ours = sources.package + name[name.index(".") :]
        if result.modules.count(ours in sources.modules):
            if lines := list(_compare_module(module, ours, sources, result)):
                result.differences[name] = lines
        else:
            result.missing_modules.append((name, module.distribution))
            _count_all_missing(module, result)
    return result


def _compare_module(
    module: Module, ours: str, sources: Sources, result: Comparison
) -> Iterator[str]:
    for key, wanted in sorted(module.names.items()):
        found = sources.find(ours, key)
        if not result.names.count(found is not None):
            result.members.wanted += len(wanted.members)
            yield f"missing    {key}"
        elif found is not None and found is not OPAQUE:
            yield from _compare_name(key, wanted, found, result)
            if wanted.kind == found.kind == "class":
                yield from _compare_class(key, wanted, ours, sources, result)


def _compare_name(key: str, wanted: Name, found: Name, result: Comparison) -> Iterator[str]:
    if wanted.signature is not None and found.signature is not None:
        yield from _compare_signature(key, wanted.signature, found.signature, result)


def _compare_class(
    key: str, wanted: Name, ours: str, sources: Sources, result: Comparison
) -> Iterator[str]:
    for member, expected in sorted(wanted.members.items()):
        names = CONSTRUCTORS if member in CONSTRUCTORS else (member,)
        candidates = [sources.member(ours, key, name) for name in names]
        found = next((c for c in candidates if c is not None), None)
        if not result.members.count(found is not None):
            yield f"missing    {key}.{member}"
        elif found is not None:
            yield from _compare_member(f"{key}.{member}", expected, found, result)


def _compare_member(label: str, wanted: Member, found: Member, result: Comparison) -> Iterator[str]:
    if wanted.signature is not None and found.signature is not None:
        yield from _compare_signature(label, wanted.signature, found.signature, result)
    if _callable(wanted) and found.kind == "property":
        yield f"kind       {label}: {found.kind} here, {wanted.kind} upstream"


def _compare_signature(label: str, wanted: str, found: str, result: Comparison) -> Iterator[str]:
    if not result.signatures.count(same_signature(wanted, found)):
        yield f"signature  {label}\n{_INDENT}upstream ({wanted})\n{_INDENT}here     ({found})"


def _callable(member: Member) -> bool:
    return member.kind in ("method", "classmethod", "staticmethod")


def _count_all_missing(module: Module, result: Comparison) -> None:
    result.names.wanted += len(module.names)
    result.members.wanted += sum(len(name.members) for name in module.names.values())
