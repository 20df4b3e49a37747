"""A page as something to run: its program, the files beside it, and what is to be printed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.blocks import Block, read_blocks

MARK = "\x1e"
"""Printed on a line of its own between the parts of a program."""

OURS = re.compile(r"^\s*(?:from|import) langgraph_rust\b", re.M)


@dataclass
class Page:
    """What can be run of a page."""

    path: Path
    blocks: list[Block] = field(default_factory=list)

    @property
    def parts(self) -> list[Block]:
        """The parts of its program."""
        return self.of("part")

    @property
    def is_ours(self) -> bool:
        """Whether its programs name this package, so that upstream cannot run them."""
        return any(OURS.search(block.text) for block in [*self.parts, *self.of("file")])

    @property
    def printed(self) -> list[str | None]:
        """For each part, what the page says that it prints, if it does."""
        following = [*self.blocks[1:], None]
        return [
            after.text if after is not None and after.kind == "printed" else None
            for block, after in zip(self.blocks, following, strict=True)
            if block.kind == "part"
        ]

    def of(self, kind: str) -> list[Block]:
        """Its blocks of a kind."""
        return [block for block in self.blocks if block.kind == kind]

    def program(self) -> str:
        """The parts as one program, each on the lines that it has on the page."""
        lines: list[str] = []
        for block in self.parts:
            # The fence before a part is a line, so there is room for the mark.
            lines += [""] * (block.line - 2 - len(lines))
            lines.append(f"print({MARK!r}, flush=True)")
            lines += block.text.splitlines()
        return "".join(f"{line}\n" for line in lines)

    def write_files(self, folder: Path) -> None:
        """Put the files that it shows into `folder`."""
        for block in self.of("file"):
            path = folder / str(block.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def read_page(path: Path, root: Path) -> Page:
    """Read a page.

    Raises:
        PageError: a block of it says nothing that can be done.
    """
    name = str(path.relative_to(root))
    return Page(path, read_blocks(name, path.read_text(encoding="utf-8")))


def split_output(output: str) -> list[str]:
    """What each part printed."""
    return output.split(f"{MARK}\n")[1:]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    pieces = re.split(r"^\$ (.*)\n", text, flags=re.M)[1:]
    return list(zip(pieces[::2], pieces[1::2], strict=True))
