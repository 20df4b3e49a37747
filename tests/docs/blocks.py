"""A page's blocks of code, and what is to be done with each.

What a writer of pages can say:

- ```` ```python ````: a part of the page's program. All of a page's parts run in order, as one.
- ```` ```python title="app.py" ````: a file of that name, in any language, beside the program. The
  program may import it.
- ```` ```text ```` right after a part: what that part prints, exactly.
- ```` ```console ````: commands after ``$``, run when the program is over, and what they print. If
  nothing is printed on the page, whatever they print is right.
- ``<!-- not run: REASON -->`` right before a block: it is only shown.
- Any other language is only shown, too; a programming language needs a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

SHOWN = {"dockerfile", "ini", "json", "text", "toml", "yaml"}
"""Languages that nobody runs."""

RUN = {"console", "python", "rust"}
"""Languages that are run, or not for a reason."""

FENCE = re.compile(r'^```(?P<language>[\w-]*)(?: title="(?P<title>[\w./-]+)")?$')
REASON = re.compile(r"^<!-- not run: (?P<reason>.+) -->$")

Kind = Literal["part", "file", "printed", "console", "shown"]


class PageError(ValueError):
    """A block that says nothing that can be done; the message names page and line."""


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, where it begins, and its text."""

    kind: Kind
    line: int
    """The number of its first line of text, from 1."""
    text: str
    language: str
    title: str | None = None
    reason: str | None = None
    """Why it is not run, if that is said."""


def read_blocks(name: str, page: str) -> list[Block]:
    """The blocks of a page, in order.

    Raises:
        PageError: one is indented, is not closed, has no language or one that nobody knows, or says
            that it is not run and would not have been anyway.
    """
    blocks: list[Block] = []
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].lstrip().startswith("```"):
            at += 1
            continue
        where = f"{name}:{at + 1}"
        opening = FENCE.match(lines[at])
        if opening is None:
            raise PageError(f"{where}: not the beginning of a block: {lines[at]}")
        closing = next((n for n in range(at + 1, len(lines)) if lines[n] == "```"), None)
        if closing is None:
            raise PageError(f"{where}: a block that is not closed")
        text = "".join(f"{line}\n" for line in lines[at + 1 : closing])
        found = _Found(opening["language"], opening["title"], _reason(lines, at))
        follows = bool(blocks) and _nothing_since(lines, blocks[-1], at)
        kind = _kind(where, found, blocks[-1] if follows else None)
        blocks.append(Block(kind, at + 2, text, found.language, found.title, found.reason))
        at = closing + 1
    return blocks


@dataclass(frozen=True)
class _Found:
    """What stands before a block's text."""

    language: str
    title: str | None
    reason: str | None


def _kind(where: str, found: _Found, before: Block | None) -> Kind:
    if found.language not in SHOWN | RUN:
        known = ", ".join(sorted(SHOWN | RUN))
        raise PageError(f"{where}: {found.language or 'no language'}; there are {known}")
    if found.reason is not None:
        if found.title or found.language not in RUN:
            raise PageError(f"{where}: would not be run anyway")
        return "shown"
    if found.language == "rust":
        raise PageError(f"{where}: nothing runs Rust here: say what does")
    if found.title is not None:
        return "file"
    if found.language == "python":
        return "part"
    if found.language == "console":
        return "console"
    is_printed = found.language == "text" and before is not None and before.kind == "part"
    return "printed" if is_printed else "shown"


def _reason(lines: list[str], at: int) -> str | None:
    said = REASON.match(lines[at - 1]) if at else None
    return said["reason"] if said else None


def _nothing_since(lines: list[str], block: Block, at: int) -> bool:
    """Whether only empty lines are between a block and the one that begins at index `at`."""
    end = block.line - 1 + block.text.count("\n") + 1
    return not any(line.strip() for line in lines[end:at])
