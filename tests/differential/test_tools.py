"""The comparison's own tools: what counts as a difference, what explains one, when a run fails."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.differential import known as known_module
from tests.differential.canon import canonical
from tests.differential.endings import DIED, GROWN, HUNG
from tests.differential.explanations import partial_writes
from tests.differential.generate import program
from tests.differential.known import KNOWN, SEEDS, Known, read_seeds
from tests.differential.sides import Side
from tests.differential.tally import INCOMPARABLE_ANYWAY, tally
from tests.differential.verdict import REPEATS, Difference, Incomparable, Outcome, compare
from tests.seeds import seed_range

PROGRAM = {"seed": 7}
SAME = [{"do": "invoke", "answer": 1}, {"do": "get_state", "state": 2}]
OTHER = [{"do": "invoke", "answer": 1}, {"do": "get_state", "state": 3}]
THIRD = [{"do": "invoke", "answer": 0}, {"do": "get_state", "state": 2}]
FELL = [{"do": "invoke", "answer": 1}, {"do": "get_state", "raised": "_put_checkpoint_fut"}]
STATES = Known("states differ", False, lambda mine, theirs: mine["do"] == "get_state")


class Told:
    """A side that gives the transcripts it was told to, the last of them again and again."""

    def __init__(self, *transcripts: list[Any]) -> None:
        self._left = list(transcripts)
        self.runs = 0

    def run(self, program: dict[str, Any]) -> list[Any]:
        self.begin(program)
        return self.finish()

    def begin(self, program: dict[str, Any]) -> None:
        self.runs += 1

    def finish(self) -> list[Any]:
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Known]:
    """One entry, which lists one program."""
    monkeypatch.setattr(known_module, "KNOWN", (STATES,))
    monkeypatch.setattr("tests.differential.tally.KNOWN", (STATES,))
    monkeypatch.setattr(known_module, "SEEDS", {STATES.name: frozenset({7})})
    yield STATES


def compared(ours: list[list[Any]], upstream: list[list[Any]]) -> Outcome:
    return compare(PROGRAM, Told(*ours), Told(*upstream))  # pyright: ignore


def difference(seed: int) -> Difference:
    return Difference({"seed": seed}, OTHER, SAME)


def test_what_upstream_agrees_on_is_held_against_one_run_of_ours() -> None:
    ours, upstream = Told(OTHER, SAME), Told(SAME)
    found = compare(PROGRAM, ours, upstream)  # pyright: ignore
    assert isinstance(found, Difference)
    assert (ours.runs, upstream.runs) == (1, 1 + REPEATS)


def test_programs_that_do_the_same_run_once() -> None:
    ours, upstream = Told(SAME), Told(SAME)
    assert compare(PROGRAM, ours, upstream) is None  # pyright: ignore
    assert (ours.runs, upstream.runs) == (1, 1)


def test_where_upstream_differs_from_itself_nothing_is_said() -> None:
    assert isinstance(compared([OTHER], [SAME, SAME, OTHER]), Incomparable)


def test_before_upstream_differs_from_itself_it_is_compared() -> None:
    assert isinstance(compared([THIRD], [SAME, OTHER, SAME]), Difference)


def test_where_upstream_falls_over_nothing_is_said() -> None:
    found = compared([SAME], [FELL])
    assert isinstance(found, Incomparable) and "upstream's bug" in found.reason


def test_before_upstream_falls_over_it_is_compared() -> None:
    assert isinstance(compared([THIRD], [FELL]), Difference)


@pytest.mark.parametrize("ending", [HUNG, DIED])
def test_an_end_of_upstreams_process_is_no_answer(ending: str) -> None:
    assert isinstance(compared([SAME], [[ending]]), Incomparable)


def test_a_program_without_bounds_is_not_compared() -> None:
    assert isinstance(compared([[GROWN]], [[GROWN]]), Incomparable)
    assert isinstance(compared([SAME], [[GROWN]]), Incomparable)
    assert isinstance(compared([[GROWN]], [SAME]), Difference)


@pytest.mark.parametrize("ending", [HUNG, DIED])
def test_an_end_of_our_process_is_a_difference_whatever_upstream_does(ending: str) -> None:
    for upstream in (SAME, FELL, [HUNG], [DIED]):
        found = compared([[ending]], [upstream])
        assert isinstance(found, Difference) and found.resembles() == []


def test_an_entry_explains_what_it_lists_and_nothing_else(entry: Known) -> None:
    assert difference(7).known() == difference(7).resembles() == [entry]
    assert (difference(8).known(), difference(8).resembles()) == ([], [entry])
    assert Difference({"seed": 7}, THIRD, SAME).resembles() == []


def test_an_entry_explains_its_record_and_no_other(entry: Known, monkeypatch) -> None:
    both = Difference({"seed": 7}, [*OTHER, *THIRD], [*SAME, *SAME])
    assert both.known() == both.resembles() == []
    assert not tally([(7, both)]).passes()
    lasting = dataclasses.replace(entry, lasts=True)
    monkeypatch.setattr(known_module, "KNOWN", (lasting,))
    assert both.known() == [lasting]


def test_what_upstream_does_not_agree_on_needs_no_explanation() -> None:
    ours = [*OTHER, *THIRD]
    found = compared([ours], [[*SAME, *SAME], [*SAME, *OTHER]])
    assert isinstance(found, Difference) and found.ours == ours[:3]


def test_what_a_failed_task_wrote_is_recognised() -> None:
    def state(**task: Any) -> dict[str, Any]:
        return {"do": "get_state", "state": {"tasks": [{"<PregelTask>": task}]}}

    def stored(*writes: list[Any]) -> dict[str, Any]:
        return {"do": "stored", "stored": [{"pending_writes": [{"<tuple>": w} for w in writes]}]}

    error = ["<1>", "__error__", "ValueError()"]
    for mine, theirs in (
        (state(error="why", result=None), state(error="why", result={"x": 1})),
        (stored(error), stored(error, ["<1>", "x", 1])),
        ({"do": "invoke", "seen": [["a", 1], ["b", 1]]}, {"do": "invoke", "seen": [["b", 1]]}),
    ):
        assert partial_writes(mine, theirs)
        assert not partial_writes(theirs, mine)
        assert not partial_writes(mine, mine)


def test_a_run_passes_if_every_difference_is_listed(entry: Known) -> None:
    assert tally([(7, difference(7)), (8, None)]).passes()
    assert not tally([(7, difference(7)), (8, difference(8))]).passes()
    assert not tally([(7, difference(7)), (8, Difference({"seed": 8}, THIRD, SAME))]).passes()


def test_a_program_that_no_longer_shows_its_entry_makes_it_stale(entry: Known) -> None:
    stale = tally([(7, None)])
    assert stale.stale() == {entry: [7]} and not stale.passes()
    assert tally([(8, None)]).passes()
    assert tally([(7, Incomparable(PROGRAM, "why")), (8, None)]).passes()


def test_only_so_many_programs_may_be_incomparable() -> None:
    def of(count: int) -> bool:
        nothing = [(seed, Incomparable({"seed": seed}, "why")) for seed in range(count)]
        return tally(nothing).passes()

    assert of(INCOMPARABLE_ANYWAY)
    assert not of(INCOMPARABLE_ANYWAY + 1)


def test_what_an_entry_should_list_keeps_what_was_not_run(entry: Known) -> None:
    assert tally([(8, difference(8))]).seeds_by_entry() == {entry: [7, 8]}
    assert tally([(7, None), (8, difference(8))]).seeds_by_entry() == {entry: [8]}


def test_entries_and_their_seeds_have_the_same_names(tmp_path) -> None:
    assert SEEDS.keys() == {known.name for known in KNOWN}
    path = tmp_path / "seeds.toml"
    path.write_text('"no such entry" = [1]\n')
    with pytest.raises(ValueError, match="no such entry"):
        read_seeds(path)


def test_a_process_that_hangs_or_dies_says_so() -> None:
    def side(source: str, seconds: float) -> Side:
        return Side("ours", [sys.executable, "-c", source], {}, seconds)

    assert side("import time; time.sleep(60)", 0.2).run(PROGRAM) == [HUNG]
    assert side("input()", 60).run(PROGRAM) == [DIED]
    echo = side("while True: print(input(), flush=True)", 60)
    assert echo.run(PROGRAM) == PROGRAM and echo.run(SAME) == SAME
    echo.close()


def test_times_and_versions_are_not_compared() -> None:
    def record(chance: float) -> list[Any]:
        info = {"node_first_attempt_time": 1e9 + chance}
        return [{"do": "x", "seen": [info], "version": f"{3:032}.{chance:016}"}]

    assert canonical(record(0.5)) == canonical(record(0.25)) == canonical(record(1.5e-05))


def test_ids_are_numbered_alike_whatever_came_first() -> None:
    ids = [f"{number:032x}" for number in (1, 2)]
    begins = [{"chunk": {"id": i, "name": "n"}, "settled": False} for i in ids]
    ends = [
        {"chunk": {"id": i, "name": "n", "result": n}, "settled": False} for n, i in enumerate(ids)
    ]
    one = canonical([{"chunks": [*begins, *ends]}])
    assert one == canonical([{"chunks": [*reversed(begins), *reversed(ends)]}])


def test_a_seed_is_one_program() -> None:
    assert program(3) == program(3) != program(4)


def test_seeds_are_a_range_or_one() -> None:
    assert seed_range("3:6") == range(3, 6) and seed_range("7") == range(7, 8)


@pytest.mark.parametrize("text", ["x", "", "1:", ":5", "1:2:3", "-3", "5:5", "6:2"])
def test_what_names_no_seeds_is_said(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"FIRST:END|names nothing"):
        seed_range(text)
