"""Transcripts: what is left out of them, and when two are the same."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clients.__main__ import chosen, table
from tests.clients.client import CLIENTS, Client
from tests.clients.normal import Step, compare, read_transcript
from tests.clients.running import Outcome


def steps_of(folder: Path, *steps: tuple[str, object]) -> list[Step]:
    path = folder / "transcript.log"
    path.write_text("".join(f"{json.dumps(step)}\n" for step in steps), encoding="utf-8")
    return read_transcript(path, folder)


def test_the_same_id_stays_the_same(tmp_path: Path) -> None:
    one, other = str(uuid4()), uuid4().hex
    (step,) = steps_of(tmp_path, ("ids", [one, other, f"ns:{one}"]))
    assert json.loads("".join(step.lines)) == ["<id 0>", "<id 1>", "ns:<id 0>"]


def test_times_places_and_ports_pass(tmp_path: Path) -> None:
    told = ["at 2026-11-26T18:43:18.5+00:00", f"{tmp_path}/a", "http://127.0.0.1:4711/", "0x7f0a"]
    (step,) = steps_of(tmp_path, ("passing", told))
    expected = ["at <time>", "<folder>/a", "http://127.0.0.1:<port>/", "<address>"]
    assert json.loads("".join(step.lines)) == expected


def test_what_only_one_has_is_a_difference(tmp_path: Path) -> None:
    theirs = steps_of(tmp_path, ("both", 1), ("theirs", 2))
    ours = steps_of(tmp_path, ("both", 1))
    assert [(each.step, each.lines[-1]) for each in compare(theirs, ours)] == [("theirs", "-2")]


@pytest.mark.parametrize(
    ("here", "verdict"),
    [
        ("same", "differs in 1"),
        ("different", "same; but it is known"),
    ],
)
def test_what_is_known_differs_and_must(tmp_path: Path, here: str, verdict: str) -> None:
    client = Client("uvicorn", "workers", (), "", known={"step": "it is known"})
    transcripts = (steps_of(tmp_path, ("step", "same")), steps_of(tmp_path, ("step", here)))
    outcome = Outcome(client, transcripts)
    assert outcome.verdict == verdict
    assert outcome.is_same == (here == "different")


def test_one_that_did_not_run_says_why() -> None:
    outcome = Outcome(CLIENTS[0], failed="it could not be installed")
    assert not outcome.is_same
    assert "| not run: it could not be installed |" in table([outcome])


def test_every_client_is_there_and_pinned() -> None:
    for client in CLIENTS:
        assert client.path.is_file()
        assert "==" not in client.versions()


def test_names_that_nobody_has_are_refused() -> None:
    assert [client.name for client in chosen(["uvicorn/w"], only_ci=False)] == ["uvicorn/workers"]
    with pytest.raises(SystemExit, match="no client is named unicorn; there are uvicorn/workers"):
        chosen(["unicorn"], only_ci=False)
