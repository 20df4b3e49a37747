"""A branch that holds files on top of a commit, made and updated without touching a work tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NAME = "github-actions[bot]"
EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"

Push = Literal["created", "updated", "unchanged", "not ours"]


@dataclass(frozen=True)
class Repository:
    """A git repository and the remote that branches go to."""

    path: Path
    remote: str = "origin"

    def push_files(self, branch: str, files: Path, message: str) -> Push:
        """Make `branch` on the remote what HEAD is, with the files below `files` put over it.

        An existing branch is continued, never replaced: HEAD is merged into it. One to which
        somebody else has committed is left alone.

        Args:
            branch: its name on the remote.
            files: a folder that is laid out as the repository.
            message: the commit message.

        Raises:
            subprocess.CalledProcessError: git failed; its words are on standard error.
        """
        tree = self._tree(files)
        old = self._fetch(branch)
        if old is None:
            self._push(self._commit(tree, ["HEAD"], message), branch)
            return "created"
        if set(self._git("log", "--format=%ce", f"HEAD..{old}").split()) - {EMAIL}:
            return "not ours"
        if self._git("rev-parse", f"{old}^{{tree}}") == tree:
            return "unchanged"
        merged = self._git("merge-base", "HEAD", old) == self._git("rev-parse", "HEAD")
        self._push(self._commit(tree, [old] if merged else [old, "HEAD"], message), branch)
        return "updated"

    def _tree(self, files: Path) -> str:
        """The tree of HEAD with the files put over it."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._git("read-tree", "HEAD", variables=index)
            for path in sorted(p for p in files.rglob("*") if p.is_file()):
                name = path.relative_to(files).as_posix()
                blob = self._git("hash-object", "-w", str(path.resolve()))
                entry = f"100644,{blob},{name}"
                self._git("update-index", "--add", "--cacheinfo", entry, variables=index)
            return self._git("write-tree", variables=index)

    def _fetch(self, branch: str) -> str | None:
        reference = f"refs/heads/{branch}"
        if not self._git("ls-remote", self.remote, reference):
            return None
        self._git("fetch", "-q", self.remote, reference)
        return self._git("rev-parse", "FETCH_HEAD")

    def _commit(self, tree: str, parents: list[str], message: str) -> str:
        options = [part for parent in parents for part in ("-p", parent)]
        identity = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", NAME), ("EMAIL", EMAIL))
        }
        return self._git("commit-tree", tree, *options, "-m", message, variables=identity)

    def _push(self, commit: str, branch: str) -> None:
        self._git("push", "-q", self.remote, f"{commit}:refs/heads/{branch}")

    def _git(self, *arguments: str, variables: dict[str, str] | None = None) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**os.environ, **(variables or {})},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.strip()
