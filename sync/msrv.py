"""Check the crates on the oldest Rust that they promise: ``python -m sync.msrv``.

The version stands in `Cargo.toml`, as `rust-version`. rustup has that toolchain or gets it; where
it cannot, nothing is checked and that is said: `make lint` still refuses what the standard library
got later, and cargo chooses only dependencies that promise the same.
"""

from __future__ import annotations

import subprocess
import sys

from sync.environments import say
from sync.pins import CACHE, ROOT, read_toml

NOT_OURS = (
    "langgraph-py",
    "langgraph-benches",
    "langgraph-continuity",
    "langgraph-rust-examples",
)
"""Crates that are not published."""


def promised() -> str:
    """The oldest Rust that the crates promise to compile with."""
    return read_toml(ROOT / "Cargo.toml")["workspace"]["package"]["rust-version"]


def has_toolchain(version: str) -> bool:
    """Whether rustup has the toolchain, or could get it."""
    options = ("--profile", "minimal", "--no-self-update")
    install = ["rustup", "toolchain", "install", version, *options]
    for command in (["rustup", "run", version, "cargo", "--version"], install):
        try:
            done = subprocess.run(command, capture_output=True, timeout=300)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def main() -> int:
    """Check all published crates, with all their features; returns cargo's exit status."""
    version = promised()
    if not has_toolchain(version):
        print(f"msrv: SKIPPED, rustup has no toolchain {version} and cannot get it")
        return 0
    say(f"checking the crates on Rust {version}")
    excluded = [word for name in NOT_OURS for word in ("--exclude", name)]
    check = ["cargo", "check", "--quiet", "--workspace", *excluded, "--all-features"]
    target = ["--target-dir", str(CACHE / "msrv")]
    status = subprocess.run(["rustup", "run", version, *check, *target], cwd=ROOT).returncode
    print(f"msrv: {'failed' if status else 'passed'} on Rust {version}")
    return status


if __name__ == "__main__":
    sys.exit(main())
