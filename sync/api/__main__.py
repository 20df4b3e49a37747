"""``python -m sync.api``: print what this package lacks of upstream's API or signs differently.

With ``--update``, make the stored manifest anew from upstream's wheels first.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from sync.api.compare import Comparison, compare
from sync.api.lookup import read_sources
from sync.api.manifest import MANIFEST_FILE, build_manifest, load_manifest, save_manifest
from sync.api.model import Module
from sync.artifacts import upstream_wheels
from sync.environments import say, upstream_environment
from sync.pins import NOT_OURS, ROOT, load_pins

PACKAGE = ROOT / "langgraph-py" / "python" / "langgraph_rust"


def main() -> int:
    """Compare and print; the differences do not make the command fail."""
    parser = argparse.ArgumentParser(prog="make api", description=__doc__)
    parser.add_argument("--update", action="store_true", help="read upstream's wheels again")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="the package to look at")
    parser.add_argument("modules", nargs="*", help="only these modules, such as langgraph.types")
    options = parser.parse_args()
    if options.update:
        update()
    pins, manifest = load_manifest()
    if pins != load_pins().label():
        sys.exit("the pins changed: run `make api-update`")
    chosen = choose(manifest, options.modules)
    print_comparison(compare(chosen, read_sources(options.package)))
    return 0


def choose(manifest: dict[str, Module], wanted: list[str]) -> dict[str, Module]:
    """The modules of the manifest that are `wanted`; all, if none is named.

    Raises:
        SystemExit: one of them is not in the manifest: nothing of it would be compared.
    """
    for name in wanted:
        if name not in manifest:
            alike = ", ".join(difflib.get_close_matches(name, manifest))
            known = f"; alike are {alike}" if alike else f" (of {len(manifest)})"
            sys.exit(f"upstream has no public module {name}{known}")
    return {name: manifest[name] for name in wanted or manifest}


def update() -> None:
    """Download upstream's wheels and store what they offer."""
    wheels = upstream_wheels(upstream_environment().ensure())
    modules = build_manifest({n: path for n, path in wheels.items() if n not in NOT_OURS})
    save_manifest(modules, load_pins().label())
    say(f"{len(modules)} public modules in {MANIFEST_FILE.relative_to(ROOT)}")


def print_comparison(result: Comparison) -> None:
    """The missing modules, the differences of the others, and the totals."""
    for name, distribution in result.missing_modules:
        print(f"missing module {name} ({distribution})")
    for module, lines in result.differences.items():
        print(module)
        for line in lines:
            print(f"    {line}")
    print(result.summary())


if __name__ == "__main__":
    sys.exit(main())
