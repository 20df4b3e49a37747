"""Read `sync/upstream.toml`: every version this repository relies on, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sync.toml import tomllib

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""

CACHE = ROOT / ".cache"
"""Where everything that can be fetched or built again is kept; never committed."""

PINS_FILE = ROOT / "sync" / "upstream.toml"

CORE = "langgraph"
"""Upstream's core distribution, whose place this package takes."""

REPLACED = (
    "langgraph-checkpoint-postgres",
    "langgraph-checkpoint-sqlite",
    "langgraph-prebuilt",
)
"""Other distributions of upstream's whose place it takes, module by module."""

NOT_OURS = ("langgraph-sdk", "langchain-core")
"""Distributions this project uses as they are."""


@dataclass(frozen=True)
class Pins:
    """The pinned versions: distribution name to exact version, by the role it plays."""

    distributions: dict[str, str]
    test_dependencies: dict[str, str]
    postgres: dict[str, str]
    fuzzer: dict[str, str]
    constraints: dict[str, str]
    sdists: dict[str, str]
    """The distributions whose own tests are run, to the sha256 of their source distribution."""

    @property
    def core_version(self) -> str:
        """The version of upstream's core distribution."""
        return self.distributions[CORE]

    @property
    def siblings(self) -> dict[str, str]:
        """What may be installed beside this package: all of upstream but the core distribution."""
        return {name: v for name, v in self.distributions.items() if name != CORE}

    @property
    def replaced(self) -> dict[str, str]:
        """What this package stands for: all of upstream but what it uses as it is."""
        return {name: v for name, v in self.distributions.items() if name not in NOT_OURS}

    @property
    def beside(self) -> dict[str, str]:
        """Of these, what has modules that this package lacks."""
        return {name: v for name, v in self.siblings.items() if name not in REPLACED}

    @property
    def test_names(self) -> set[str]:
        """What the suites import from elsewhere, by name without extras."""
        return {name.partition("[")[0] for name in self.test_dependencies}

    @property
    def elsewhere(self) -> dict[str, str]:
        """Every pin that is not upstream's, by name without extras."""
        pins = self.constraints | self.test_dependencies | self.postgres | self.fuzzer
        return {name.partition("[")[0]: version for name, version in pins.items()}

    def label(self) -> str:
        """One line naming the distributions, to tell which pins a stored result belongs to."""
        return " ".join(f"{name}=={version}" for name, version in self.distributions.items())


@cache
def load_pins() -> Pins:
    """The pins of this checkout, as `read_pins` finds them."""
    return read_pins(PINS_FILE)


def read_pins(path: Path) -> Pins:
    """The pins in a file.

    Raises:
        KeyError: a section is missing from it.
    """
    document = read_toml(path)
    return Pins(
        distributions=document["distributions"],
        test_dependencies=document["test-dependencies"],
        postgres=document["postgres"],
        fuzzer=document["fuzzer"],
        constraints=document["constraints"],
        sdists=document["sdists"],
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def requirements(versions: dict[str, str]) -> list[str]:
    """Turn ``{"name": "1.0"}`` into ``["name==1.0"]``."""
    return [f"{name}=={version}" for name, version in versions.items()]
