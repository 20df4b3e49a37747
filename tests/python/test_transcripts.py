"""Every driver prints what the transcripts say, as far as it can see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from _transcripts import DIRECTORY, DRIVERS, Session, facts, read


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("path", sorted(DIRECTORY.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path, driver: object) -> None:
    session = Session(driver)  # type: ignore[arg-type]
    for command, prints in read(path):
        expected = facts(prints, session.driver)
        assert facts(session.perform(command), session.driver) == expected, command[0]


def test_there_are_transcripts() -> None:
    assert len(list(DIRECTORY.glob("*.txt"))) > 10
