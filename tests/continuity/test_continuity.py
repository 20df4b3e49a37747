"""Threads begun on one side continue on the other, and both store the same bytes."""

from __future__ import annotations

from itertools import zip_longest

import pytest

from tests.continuity.cases import TURNS, Case
from tests.continuity.routes import ROUTES, UPSTREAM, Journey
from tests.continuity.rows import Names

Journeys = dict[str, Journey]
"""By route, on the database that the case is run on; see `conftest`."""

every_route = pytest.mark.parametrize("route", ROUTES)
other_routes = pytest.mark.parametrize("route", [route for route in ROUTES if route != UPSTREAM])


def assert_same(seen: list, expected: list, when: str) -> None:
    """Item by item: pytest takes long to say how such lists differ, and says too much."""
    for place, (one, other) in enumerate(zip_longest(seen, expected)):
        assert one == other, f"{when}, item {place}"


@every_route
def test_every_turn_can_be_taken(journeys: Journeys, case: Case, route: str) -> None:
    assert not journeys[route].crashes(case)


@every_route
def test_each_sees_what_the_other_left(journeys: Journeys, case: Case, route: str) -> None:
    for turn in range(1, TURNS + 1):
        before = journeys[route].before(case, turn)
        assert_same(before, journeys[route].after(case, turn - 1), f"before turn {turn}")


@other_routes
def test_turns_do_what_upstream_does(journeys: Journeys, case: Case, route: str) -> None:
    for turn in range(TURNS):
        said = journeys[route].said(case, turn)
        assert_same(said, journeys[UPSTREAM].said(case, turn), f"turn {turn}")


@other_routes
def test_threads_look_as_upstream_leaves_them(journeys: Journeys, case: Case, route: str) -> None:
    for turn in range(TURNS):
        seen, expected = (
            list(map(Names().text, journeys[name].after(case, turn))) for name in (route, UPSTREAM)
        )
        assert_same(seen, expected, f"after turn {turn}")


@other_routes
def test_the_same_bytes_are_stored(journeys: Journeys, case: Case, route: str) -> None:
    for turn in range(TURNS):
        rows = journeys[route].rows(case, turn)
        assert_same(rows, journeys[UPSTREAM].rows(case, turn), f"after turn {turn}")
