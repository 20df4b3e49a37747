"""The API manifest's tools on small sources."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from sync.api.__main__ import choose
from sync.api.compare import compare
from sync.api.extract import read_module
from sync.api.lookup import Sources, read_sources
from sync.api.signatures import same_signature


def module(source: str, name: str = "up.mod"):
    return read_module(textwrap.dedent(source), name, is_package=False, distribution="up")


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        ("a, b=1", "a, b=1", True),
        ("a, b=1", "a, b=2", False),
        ("a, b=1", "a, b=...", True),
        ("a", "a, b=None", False),
        ("*, x, y=1", "*, y=1, x", True),
        ("a, /", "a", False),
        ("**kwargs", "**options", False),
    ],
)
def test_signatures_are_compared_as_a_caller_sees_them(wanted: str, found: str, same: bool) -> None:
    assert same_signature(wanted, found) is same


def test_annotations_and_overloads_leave_no_trace() -> None:
    found = module(
        """
        @overload
        def f(a: int) -> int: ...
        def f(a: int | None = None, *rest: str) -> int: ...
        """
    )
    assert found.names["f"].signature == "a=None, *rest"


def test_a_dataclass_has_the_constructor_its_fields_imply() -> None:
    found = module(
        """
        @dataclass(frozen=True)
        class Point:
            kind: ClassVar[str] = "point"
            x: int
            y: int = 0
            _: KW_ONLY
            tags: list = field(default_factory=list)
            cache: dict = field(init=False)
        """
    )
    assert found.names["Point"].members["__init__"].signature == "x, y=0, *, tags=..."


def test_a_class_offers_what_its_init_sets() -> None:
    found = module("class A:\n    def __init__(self):\n        self.x = self._y = 1\n")
    assert set(found.names["A"].members) == {"__init__", "x"}


def test_imports_star_imports_and_base_classes_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("from .things import *\n")
    (package / "things.py").write_text("from pkg._engine import Base\nclass Thing(Base): ...\n")
    (package / "_engine.pyi").write_text(
        "class Base:\n    def go(self, n: int = ...) -> None: ...\n"
    )
    sources = read_sources(package)
    assert sources.find("pkg", "Thing") is not None
    go = sources.member("pkg", "Thing", "go")
    assert go is not None and go.signature == "n=..."


def test_a_comparison_names_what_is_missing_or_different() -> None:
    upstream = {
        "up.mod": module("def f(a, b=1): ...\ndef g(): ...\nclass C:\n    def m(self): ...\n")
    }
    ours = Sources("us", {"us.mod": module("def f(a): ...\nclass C: ...\n", "us.mod")})
    result = compare(upstream, ours)
    text = "\n".join(result.differences["up.mod"])
    assert "missing    g" in text and "missing    C.m" in text and "signature  f" in text
    assert result.summary().startswith("api: modules 1 of 1, names 2 of 3, class members 0 of 1")


def test_modules_are_picked_by_name_and_one_that_is_not_there_is_an_error() -> None:
    manifest = {name: module("", name) for name in ("up.graph", "up.types")}
    assert choose(manifest, []) == manifest
    assert list(choose(manifest, ["up.types"])) == ["up.types"]
    with pytest.raises(SystemExit, match=r"no public module up.type; alike are up\.types"):
        choose(manifest, ["up.types", "up.type"])
    with pytest.raises(SystemExit, match=r"no public module nope \(of 2\)"):
        choose(manifest, ["nope"])
