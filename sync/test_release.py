"""What is built for a release."""

from __future__ import annotations

from sync import release
from sync.pins import load_pins


def test_a_wheel_is_built_for_each_version_in_the_metadata() -> None:
    assert release.versions() == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    asked = release.options("musllinux_1_2", [], "x86_64")
    assert asked[-6:] == ["--interpreter", *(f"python3.{minor}" for minor in range(10, 15))]
    assert release.options(None, [], "AMD64")[-1] == "--find-interpreter"


def test_what_is_for_an_old_system_is_linked_with_zig() -> None:
    asked = release.options("manylinux2014", ["python3.10"], "x86_64")
    assert "--zig --compatibility manylinux2014" in " ".join(asked)
    assert "x86_64-unknown-linux-gnu" in asked
    assert "aarch64-unknown-linux-musl" in release.options("musllinux_1_2", [], "aarch64")
    assert "--zig" not in release.options(None, ["python3.10"], "arm64")


def test_where_zig_links_the_systems_unwinder_is_linked() -> None:
    (flags,) = release.unwinding("manylinux2014", "aarch64").items()
    assert flags[0] == "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS"
    assert "libgcc_s" in flags[1]
    assert release.unwinding("musllinux_1_2", "aarch64") == release.unwinding(None, "x86_64") == {}


def test_nothing_is_built_from_other_versions_than_those_locked() -> None:
    assert "--locked" in release.options(None, [], "x86_64")
    assert set(release.TOOLS) <= load_pins().constraints.keys()
