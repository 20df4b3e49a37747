"""Threads begun in Rust continue in Python and the other way round, and all store the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.continuity.front.cases import CASES, TURNS, UNEQUAL, Case
from tests.continuity.front.routes import ROUTES, UPSTREAM, Journey, travel
from tests.continuity.rows import Names
from tests.continuity.test_continuity import assert_same

Journeys = dict[str, Journey]

every_case = pytest.mark.parametrize("scenario", CASES, ids=str)
equal_cases = pytest.mark.parametrize(
    "scenario", [case for case in CASES if str(case) not in UNEQUAL], ids=str
)
every_route = pytest.mark.parametrize("route", ROUTES)
other_routes = pytest.mark.parametrize("route", [route for route in ROUTES if route != UPSTREAM])


@pytest.fixture(scope="session")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Journeys:
    """What became of the threads, by route."""
    return travel(tmp_path_factory.mktemp("front"))


@every_route
@every_case
def test_every_turn_can_be_taken(threads: Journeys, scenario: Case, route: str) -> None:
    assert not threads[route].crashes(scenario)


@every_route
@every_case
def test_each_sees_what_the_other_left(threads: Journeys, scenario: Case, route: str) -> None:
    for turn in range(1, TURNS + 1):
        before = threads[route].before(scenario, turn)
        assert_same(before, threads[route].after(scenario, turn - 1), f"before turn {turn}")


@other_routes
@every_case
def test_turns_do_what_upstream_does(threads: Journeys, scenario: Case, route: str) -> None:
    for turn in range(TURNS):
        said = threads[route].said(scenario, turn)
        assert_same(said, threads[UPSTREAM].said(scenario, turn), f"turn {turn}")


@other_routes
@equal_cases
def test_threads_look_as_upstream_leaves_them(
    threads: Journeys, scenario: Case, route: str
) -> None:
    for turn in range(TURNS):
        seen, expected = (
            list(map(Names().text, threads[name].after(scenario, turn)))
            for name in (route, UPSTREAM)
        )
        assert_same(seen, expected, f"after turn {turn}")


@other_routes
@equal_cases
def test_the_same_bytes_are_stored(threads: Journeys, scenario: Case, route: str) -> None:
    for turn in range(TURNS):
        rows = threads[route].rows(scenario, turn)
        assert_same(rows, threads[UPSTREAM].rows(scenario, turn), f"after turn {turn}")
