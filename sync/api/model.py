"""What is known of a module's public surface.

The values turn into plain JSON with `dataclasses.asdict` and back with `from_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

MemberKind = Literal["method", "classmethod", "staticmethod", "property", "attribute"]
NameKind = Literal["function", "class", "value", "import", "helper"]
"""A helper is a module's own tool, such as a type variable; public only if ``__all__`` says so."""


@dataclass
class Member:
    """Something in a class body."""

    kind: MemberKind
    signature: str | None = None
    """Parameters without ``self``, as in the source but for annotations; for anything callable."""


@dataclass
class Name:
    """Something a module offers."""

    kind: NameKind
    signature: str | None = None
    """For a function: its parameters, annotations left out."""
    target: str | None = None
    """For an import: ``module:name`` of where it comes from."""
    bases: list[str] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    """For a class: public methods and attributes; ``__init__`` also when a decorator makes it."""


@dataclass
class Module:
    """A module and its names."""

    distribution: str
    exports: list[str] | None
    """``__all__``, when there is one."""
    names: dict[str, Name]
    star_imports: list[str] = field(default_factory=list)
    dynamic: bool = False
    """Whether the module computes attributes on demand (a module-level ``__getattr__``)."""


def module_from_json(raw: dict[str, Any]) -> Module:
    """The inverse of `dataclasses.asdict` for a `Module` whose empty fields were left out."""
    names = {key: _name_from_json(value) for key, value in raw["names"].items()}
    return Module(raw["distribution"], raw.get("exports"), names)


def _name_from_json(raw: dict[str, Any]) -> Name:
    members = {key: Member(**value) for key, value in raw.get("members", {}).items()}
    return Name(**{**raw, "members": members})
