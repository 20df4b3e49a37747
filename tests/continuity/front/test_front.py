"""Threads begun in Rust go on in Python and the other way round, and all store the same bytes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from sync.environments import postgres_environment
from tests.conformance.postgres import databases
from tests.continuity.front.cases import CHOICES, TURNS, UNEQUAL, Case
from tests.continuity.front.routes import ROUTES, UPSTREAM, Journey, rust_program, travel
from tests.continuity.rows import Names
from tests.continuity.test_continuity import assert_same

Journeys = dict[str, Journey]
"""By route, on the database that the case is run on."""

Travelled = Callable[[str, str], Journeys]

every_route = pytest.mark.parametrize("route", ROUTES)
other_routes = pytest.mark.parametrize("route", [route for route in ROUTES if route != UPSTREAM])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case on SQLite and some on Postgres, or with `--postgres` every case there."""
    if "scenario" not in metafunc.fixturenames:
        return
    runs = [("sqlite", "all"), ("postgres", "some")]
    if metafunc.config.getoption("--postgres"):
        runs = [("postgres", "all")]
    chosen = [(run, case) for run in runs for case in CHOICES[run[1]]]
    names = [f"{case}-postgres" if on == "postgres" else str(case) for (on, _), case in chosen]
    metafunc.parametrize(("threads", "scenario"), chosen, ids=names, indirect=["threads"])


@pytest.fixture
def threads(request: pytest.FixtureRequest, front_travelled: Travelled) -> Journeys:
    """What became of the threads, by route."""
    return front_travelled(*request.param)


@pytest.fixture(scope="session")
def rust() -> Path:
    """The Rust program, built once."""
    return rust_program()


@pytest.fixture(scope="session")
def front_travelled(tmp_path_factory: pytest.TempPathFactory, rust: Path) -> Travelled:
    """Runs cases on a database along all routes, or says again what became of them."""

    @cache
    def run(database: str, choice: str) -> Journeys:
        folder = tmp_path_factory.mktemp("front")
        if database == "sqlite":
            numbers = itertools.count()
            return travel(folder, rust, choice, lambda: str(folder / f"{next(numbers)}.sqlite"))
        with databases(postgres_environment().ensure().python) as make:
            return travel(folder, rust, choice, make)

    return run


def stored_by_chance(scenario: Case) -> None:
    """Skips what upstream itself does not store twice in the same way."""
    if str(scenario) in UNEQUAL:
        pytest.skip(UNEQUAL[str(scenario)])


@every_route
def test_every_turn_can_be_taken(threads: Journeys, scenario: Case, route: str) -> None:
    assert not threads[route].crashes(scenario)


@every_route
def test_each_sees_what_the_other_left(threads: Journeys, scenario: Case, route: str) -> None:
    for turn in range(1, TURNS + 1):
        before = threads[route].before(scenario, turn)
        assert_same(before, threads[route].after(scenario, turn - 1), f"before turn {turn}")


@other_routes
def test_turns_do_what_upstream_does(threads: Journeys, scenario: Case, route: str) -> None:
    for turn in range(TURNS):
        said = threads[route].said(scenario, turn)
        assert_same(said, threads[UPSTREAM].said(scenario, turn), f"turn {turn}")


@other_routes
def test_threads_look_as_upstream_leaves_them(
    threads: Journeys, scenario: Case, route: str
) -> None:
    stored_by_chance(scenario)
    for turn in range(TURNS):
        seen, expected = (
            list(map(Names().text, threads[name].after(scenario, turn)))
            for name in (route, UPSTREAM)
        )
        assert_same(seen, expected, f"after turn {turn}")


@other_routes
def test_the_same_bytes_are_stored(threads: Journeys, scenario: Case, route: str) -> None:
    stored_by_chance(scenario)
    for turn in range(TURNS):
        rows = threads[route].rows(scenario, turn)
        assert_same(rows, threads[UPSTREAM].rows(scenario, turn), f"after turn {turn}")
