"""Put other versions and hashes into the text of `sync/upstream.toml`; all else stays."""

from __future__ import annotations

import re

from sync.toml import tomllib
from sync.update.index import normalised

_SECTION = re.compile(r"\[([\w.-]+)]\s*(?:#.*)?$")
_ENTRY = re.compile(r'(?P<quote>"?)(?P<name>[^"=\s]+)(?P=quote)\s*=\s*"(?P<value>[^"]*)"')


def repin(text: str, changes: dict[str, dict[str, str]], added_to: str | None = None) -> str:
    """The text with the values in `changes`, by section and name.

    Args:
        text: the file's content.
        changes: section to name to value; names are compared as the index does.
        added_to: the section that takes, in the order of the alphabet, the names that its
            changes have and it does not.

    Raises:
        KeyError: a section has no such name.
        ValueError: the result would not be what was asked for.
    """
    left = {section: _normalised(values) for section, values in changes.items()}
    lines: list[str] = []
    section = ""
    for line in text.splitlines():
        if heading := _SECTION.match(line):
            section = heading[1]
        lines.append(_replaced(line, left.get(section, {})))
    if added_to:
        for name in sorted(left.get(added_to, {})):
            _insert(lines, added_to, name, left[added_to].pop(name))
    if missing := {name for values in left.values() for name in values}:
        raise KeyError(f"no entry for {', '.join(sorted(missing))}")
    result = "\n".join(lines) + "\n"
    _check(result, changes)
    return result


def _replaced(line: str, values: dict[str, str]) -> str:
    entry = _ENTRY.match(line)
    name = normalised(entry["name"].partition("[")[0]) if entry else ""
    if entry is None or name not in values:
        return line
    return line[: entry.start("value")] + values.pop(name) + line[entry.end("value") :]


def _insert(lines: list[str], section: str, name: str, value: str) -> None:
    start = lines.index(f"[{section}]") + 1
    for index in range(start, len(lines) + 1):
        entry = _ENTRY.match(lines[index]) if index < len(lines) else None
        at_end = index == len(lines) or lines[index].startswith("[") or not lines[index].strip()
        if at_end or (entry and entry["name"] > name):
            lines.insert(index, f'{name} = "{value}"')
            return


def _check(text: str, changes: dict[str, dict[str, str]]) -> None:
    document = tomllib.loads(text)
    for section, values in changes.items():
        found = _normalised(document[section])
        for name, value in _normalised(values).items():
            if found.get(name) != value:
                raise ValueError(f"{name} would be {found.get(name)}, not {value}")


def _normalised(values: dict[str, str]) -> dict[str, str]:
    return {normalised(name.partition("[")[0]): value for name, value in values.items()}
