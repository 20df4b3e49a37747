"""Read `sync/upstream.toml`: every version this repository relies on, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""

CACHE = ROOT / ".cache"
"""Where everything that can be fetched or built again is kept; never committed."""

PINS_FILE = ROOT / "sync" / "upstream.toml"

CORE = "langgraph"
"""Upstream's core distribution, whose place this package takes."""


@dataclass(frozen=True)
class Pins:
    """The pinned versions: distribution name to exact version, by the role it plays."""

    distributions: dict[str, str]
    test_dependencies: dict[str, str]
    postgres: dict[str, str]
    constraints: dict[str, str]
    sdists: dict[str, str]
    """The distributions whose own tests are run, to the sha256 of their source distribution."""

    @property
    def siblings(self) -> dict[str, str]:
        """What may be installed beside this package: all of upstream but the core distribution."""
        return {name: v for name, v in self.distributions.items() if name != CORE}

    def label(self) -> str:
        """One line naming the distributions, to tell which pins a stored result belongs to."""
        return " ".join(f"{name}=={version}" for name, version in self.distributions.items())


@cache
def load_pins() -> Pins:
    """The pins of this checkout.

    Raises:
        KeyError: a section is missing from `sync/upstream.toml`.
    """
    document = read_toml(PINS_FILE)
    return Pins(
        distributions=document["distributions"],
        test_dependencies=document["test-dependencies"],
        postgres=document["postgres"],
        constraints=document["constraints"],
        sdists=document["sdists"],
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def requirements(versions: dict[str, str]) -> list[str]:
    """Turn ``{"name": "1.0"}`` into ``["name==1.0"]``."""
    return [f"{name}=={version}" for name, version in versions.items()]
