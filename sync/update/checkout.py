"""Files of a checkout that change together, or not at all.

What a file held is set aside under `.cache/sync/undo` before it is touched. A change that is not
kept is undone: when its block ends, or, if the process was killed, when the next one starts.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

UNDO = Path(".cache") / "sync" / "undo"


@dataclass
class Change:
    """A set of files of the checkout in `root` that are put back unless `keep` is called."""

    root: Path
    touched: list[Path] = field(default_factory=list)
    """Relative to the root."""
    _kept: bool = False

    def __enter__(self) -> Change:
        undo(self.root)
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept:
            shutil.rmtree(self.root / UNDO, ignore_errors=True)
        else:
            undo(self.root)

    def touch(self, *paths: Path) -> None:
        """Set aside what these files hold now; somebody is about to change them."""
        for path in paths:
            relative = path.relative_to(self.root)
            if relative not in self.touched:
                _set_aside(self.root, relative)
                self.touched.append(relative)

    def write(self, path: Path, text: str) -> None:
        """Write a file as part of this change."""
        self.touch(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def keep(self) -> list[Path]:
        """Let the change stand; the files that are no longer what they were, relative."""
        self._kept = True
        return sorted(path for path in self.touched if _differs(self.root, path))


def undo(root: Path) -> None:
    """Put back what a change set aside and did not keep, if there is one."""
    folder = root / UNDO
    for saved in sorted(folder.rglob("*")) if folder.exists() else []:
        target = root / saved.relative_to(folder).with_suffix("")
        if saved.suffix == ".was":
            os.replace(saved, target)
        elif saved.suffix == ".new":
            target.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _set_aside(root: Path, relative: Path) -> None:
    saved = root / UNDO / relative
    saved.parent.mkdir(parents=True, exist_ok=True)
    if (root / relative).exists():
        part = saved.with_name(f"{saved.name}.part")
        shutil.copy2(root / relative, part)
        os.replace(part, saved.with_name(f"{saved.name}.was"))
    else:
        saved.with_name(f"{saved.name}.new").touch()


def _differs(root: Path, relative: Path) -> bool:
    saved = root / UNDO / f"{relative}.was"
    target = root / relative
    if not saved.exists() or not target.exists():
        return saved.exists() or target.exists()
    return saved.read_bytes() != target.read_bytes()
