"""``python -m sync.update.publish``: hand an outcome to the code host.

A move becomes a pull request with the report as its text, on a branch of its version; what could
not be judged becomes an issue. Either is updated when it is there already. It runs git and the code
host's `gh`, and reads nothing but the outcome's folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sync.pins import ROOT
from sync.update.branch import Repository
from sync.update.outcome import OUTCOME, Outcome, Status, load_outcome

LONGEST = 60_000
"""The code host takes 65,536 characters."""


def main() -> int:
    """Publish the outcome in the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcome", type=Path, default=ROOT / OUTCOME, help="the outcome's folder")
    parser.add_argument("--base", default="main", help="the branch that pull requests go to")
    options = parser.parse_args()
    print(publish(Repository(ROOT), options.outcome, options.base))
    return 0


def publish(repository: Repository, folder: Path, base: str) -> str:
    """Publish the outcome in `folder`, and say what was done."""
    outcome = load_outcome(folder)
    if outcome.status is Status.DONE:
        return "nothing to publish"
    if outcome.status is Status.NOT_JUDGED:
        return _issue(repository, outcome)
    branch = branch_name(outcome)
    pushed = repository.push_files(branch, folder / "files", commit_message(outcome))
    if pushed in ("created", "updated"):
        # A workflow's token starts no other workflow by pushing.
        _gh(repository, "workflow", "run", "ci.yml", "--ref", branch)
    return f"branch {branch} {pushed}, {_pull_request(repository, outcome, branch, base)}"


def branch_name(outcome: Outcome) -> str:
    """One branch for each version of upstream."""
    return f"sync/{outcome.version}"


def commit_message(outcome: Outcome) -> str:
    """The title, and what the suites showed."""
    return f"{outcome.title}\n\nsync: {outcome.status.words}\n"


def _pull_request(repository: Repository, outcome: Outcome, branch: str, base: str) -> str:
    known = _gh(repository, "pr", "list", "--head", branch, "--state", "open", "--json", "number")
    if numbers := [item["number"] for item in json.loads(known)]:
        _with_text(repository, outcome, "pr", "edit", str(numbers[0]))
        return f"pull request {numbers[0]} updated"
    _with_text(repository, outcome, "pr", "create", "--head", branch, "--base", base)
    return "pull request created"


def _issue(repository: Repository, outcome: Outcome) -> str:
    listed = ("--state", "open", "--limit", "1000", "--json", "number,title")
    known = json.loads(_gh(repository, "issue", "list", *listed))
    if numbers := [item["number"] for item in known if item["title"] == outcome.title]:
        _with_text(repository, outcome, "issue", "edit", str(numbers[0]))
        return f"issue {numbers[0]} updated"
    _with_text(repository, outcome, "issue", "create")
    return "issue created"


def _with_text(repository: Repository, outcome: Outcome, *command: str) -> None:
    text = outcome.text
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n\nThe rest is in the report's file.\n"
    with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as body:
        body.write(text)
        body.flush()
        _gh(repository, *command, "--title", outcome.title, "--body-file", body.name)


def _gh(repository: Repository, *arguments: str) -> str:
    command = ["gh", *arguments]
    return subprocess.run(
        command, cwd=repository.path, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
