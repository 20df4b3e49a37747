"""Upstream's public surface as data: made from its wheels, stored in `upstream.json`."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from sync.api.classes import is_public
from sync.api.extract import read_module
from sync.api.model import Module, Name, module_from_json

MANIFEST_FILE = Path(__file__).parent / "upstream.json"
NAMESPACE = "langgraph"


def build_manifest(wheels: dict[str, Path]) -> dict[str, Module]:
    """The public modules of the `langgraph` namespace in these wheels, public names only."""
    modules: dict[str, Module] = {}
    for distribution, wheel in wheels.items():
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.namelist():
                name = _module_name(entry)
                if name is None:
                    continue
                module = read_module(
                    archive.read(entry).decode(),
                    name,
                    is_package=entry.endswith("/__init__.py"),
                    distribution=distribution,
                )
                if (public := _public_part(module, name)).names:
                    modules[name] = public
    return dict(sorted(modules.items()))


def save_manifest(modules: dict[str, Module], pins: str, path: Path = MANIFEST_FILE) -> None:
    """Write the manifest, one line per name, so that a new upstream version reads as a diff."""
    lines = ["{", f'"pins": {json.dumps(pins)},', '"modules": {']
    for index, (name, module) in enumerate(modules.items()):
        lines.append(f"{json.dumps(name)}: {{")
        lines.append(f'  "distribution": {json.dumps(module.distribution)},')
        lines.append(f'  "exports": {json.dumps(module.exports)},')
        lines.append('  "names": {')
        entries = [
            f"    {json.dumps(key)}: {json.dumps(_compact(dataclasses.asdict(value)))}"
            for key, value in sorted(module.names.items())
        ]
        lines.append(",\n".join(entries))
        lines.append("  }}" + ("," if index < len(modules) - 1 else ""))
    lines.append("}}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_manifest(path: Path = MANIFEST_FILE) -> tuple[str, dict[str, Module]]:
    """The pins the stored manifest belongs to, and its modules."""
    document = json.loads(path.read_text(encoding="utf-8"))
    modules = {name: module_from_json(raw) for name, raw in document["modules"].items()}
    return document["pins"], modules


def _module_name(entry: str) -> str | None:
    """The dotted name of a public module's file in a wheel, or nothing for anything else."""
    path = PurePosixPath(entry)
    parts = path.with_suffix("").parts
    if path.suffix != ".py" or parts[0] != NAMESPACE:
        return None
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) if all(map(is_public, parts)) else None


def _public_part(module: Module, name: str) -> Module:
    """What a user may rely on: ``__all__``, and other public definitions of the module.

    Imports count only where ``__all__`` names them, and plain values only where there is no
    ``__all__`` to leave them out.
    """
    exports = set(module.exports or [])
    kept = {key: entry for key, entry in module.names.items() if _counts(key, entry, module)}
    for missing in exports - kept.keys():
        kept[missing] = Name("value")
    return Module(module.distribution, module.exports, kept)


def _counts(key: str, entry: Name, module: Module) -> bool:
    if module.exports is not None and key in module.exports:
        return True
    defined = {"function", "class"} | ({"value"} if module.exports is None else set())
    return is_public(key) and entry.kind in defined


def _compact(raw: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty."""
    kept = {key: value for key, value in raw.items() if value not in (None, [], {})}
    if "members" in kept:
        kept["members"] = {key: _compact(member) for key, member in kept["members"].items()}
    return kept
