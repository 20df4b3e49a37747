"""What the command says when its `K` chooses no test."""

from __future__ import annotations

from tests.continuity.__main__ import nothing_matches


def test_a_name_and_the_scenarios_are_listed() -> None:
    words = nothing_matches("-k interrupt")
    assert "no test matches -k interrupt" in words
    assert "test_the_same_bytes_are_stored[conversation-sync-sync-ours]" in words
    assert "questions, command, packets" in words
