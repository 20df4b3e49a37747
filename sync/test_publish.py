"""Publishing an outcome: branches in a bare repository, `gh` replaced by a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sync.update.branch import EMAIL, Repository
from sync.update.outcome import OUTCOME, Outcome, Status, save_outcome
from sync.update.publish import LONGEST, publish

GH = f"""\
#!{sys.executable}
import json, os, sys
from pathlib import Path
log = Path(os.environ["GH_LOG"])
body = [Path(a).read_text() for flag, a in zip(sys.argv, sys.argv[1:]) if flag == "--body-file"]
with log.open("a") as out:
    out.write(json.dumps([sys.argv[1:], *body]) + "\\n")
if sys.argv[2] == "list":
    print(os.environ.get("GH_KNOWN", "[]"))
"""
BRANCH = "sync/1.1.0"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A Person", "-c", "user.email=person@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a bare repository, with a `gh` that writes down what it is asked."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "clone")
    folder = tmp_path / "clone"
    commit(folder, {"README.md": "old\n", "kept.txt": "kept\n"})
    git(folder, "push", "-q", "origin", "HEAD:main")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GH_LOG", str(tmp_path / "gh.log"))
    return folder


def commit(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "by a person")


def moved(clone: Path, readme: str = "new\n", **changes: str) -> Path:
    """The folder of an outcome that wrote the README."""
    before = (clone / "README.md").read_text()
    (clone / "README.md").write_text(readme)
    given = {"version": "1.1.0", "title": "Follow 1.1.0", "text": "the report", **changes}
    save_outcome(clone, Outcome(Status.GREEN, files=["README.md"], **given))
    (clone / "README.md").write_text(before)
    return clone / OUTCOME


def on_branch(clone: Path, name: str) -> str:
    return git(clone.parent / "origin.git", "show", f"{BRANCH}:{name}")


def log(clone: Path, *revisions: str) -> list[str]:
    return git(clone.parent / "origin.git", "log", "--format=%ce", *revisions).split()


def asked(clone: Path) -> list[list]:
    return [json.loads(line) for line in (clone.parent / "gh.log").read_text().splitlines()]


def test_a_move_becomes_a_branch_and_a_pull_request(clone: Path) -> None:
    said = publish(Repository(clone), moved(clone), "main")
    assert said == f"branch {BRANCH} created, pull request created"
    assert on_branch(clone, "README.md") == "new\n" and on_branch(clone, "kept.txt") == "kept\n"
    assert log(clone, f"main..{BRANCH}") == [EMAIL]
    assert asked(clone)[0] == [["workflow", "run", "ci.yml", "--ref", BRANCH]]
    command, body = asked(clone)[-1]
    assert command[:6] == ["pr", "create", "--head", BRANCH, "--base", "main"]
    assert body == "the report"
    assert git(clone, "status", "--porcelain", "--untracked-files=no") == ""


def test_a_second_run_updates(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(Repository(clone), moved(clone), "main")
    monkeypatch.setenv("GH_KNOWN", '[{"number": 7}]')
    said = publish(Repository(clone), moved(clone, "newer\n"), "main")
    assert said == f"branch {BRANCH} updated, pull request 7 updated"
    assert on_branch(clone, "README.md") == "newer\n"
    assert log(clone, f"main..{BRANCH}") == [EMAIL, EMAIL]
    assert asked(clone)[-1][0][:3] == ["pr", "edit", "7"]
    assert publish(Repository(clone), moved(clone, "newer\n"), "main").startswith(
        f"branch {BRANCH} unchanged"
    )


def test_a_branch_takes_in_what_main_has_gained(clone: Path) -> None:
    publish(Repository(clone), moved(clone), "main")
    commit(clone, {"later.txt": "later\n"})
    git(clone, "push", "-q", "origin", "HEAD:main")
    publish(Repository(clone), moved(clone), "main")
    assert on_branch(clone, "later.txt") == "later\n"
    assert git(clone.parent / "origin.git", "log", "--format=%H", f"{BRANCH}..main") == ""


def test_a_branch_with_somebody_elses_commits_is_left_alone(clone: Path) -> None:
    publish(Repository(clone), moved(clone), "main")
    git(clone, "fetch", "-q", "origin")
    git(clone, "checkout", "-q", BRANCH)
    commit(clone, {"fix.txt": "fix\n"})
    git(clone, "push", "-q", "origin", f"HEAD:{BRANCH}")
    git(clone, "checkout", "-q", "-")
    said = publish(Repository(clone), moved(clone, "newer\n"), "main")
    assert said.startswith(f"branch {BRANCH} not ours, pull request")
    assert on_branch(clone, "fix.txt") == "fix\n" and on_branch(clone, "README.md") == "new\n"


def test_what_could_not_be_judged_becomes_one_issue(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_outcome(clone, Outcome(Status.NOT_JUDGED, title="Not judged", text="why"))
    assert publish(Repository(clone), clone / OUTCOME, "main") == "issue created"
    monkeypatch.setenv("GH_KNOWN", '[{"number": 3, "title": "Not judged"}]')
    assert publish(Repository(clone), clone / OUTCOME, "main") == "issue 3 updated"
    assert [call[0][:2] for call in asked(clone)] == [
        ["issue", "list"],
        ["issue", "create"],
        ["issue", "list"],
        ["issue", "edit"],
    ]


def test_nothing_to_do_publishes_nothing(clone: Path) -> None:
    save_outcome(clone, Outcome(Status.DONE))
    assert publish(Repository(clone), clone / OUTCOME, "main") == "nothing to publish"
    assert not (clone.parent / "gh.log").exists()


def test_a_long_report_is_cut_for_the_pull_request(clone: Path) -> None:
    publish(Repository(clone), moved(clone, text="x" * (LONGEST + 1)), "main")
    assert asked(clone)[-1][1].endswith("The rest is in the report's file.\n")
