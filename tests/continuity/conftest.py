"""All routes are run once, before the first test that looks at them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache

import pytest

from sync.environments import postgres_environment
from tests.conformance.postgres import databases
from tests.continuity.cases import CASES, CHOICES
from tests.continuity.routes import Journey, travel

Travelled = Callable[[str, str], dict[str, Journey]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres", action="store_true", help="every case on Postgres, none on SQLite"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case on SQLite and some on Postgres, or with `--postgres` every case there."""
    if "case" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--postgres"):
        chosen = [(("postgres", "all"), case) for case in CASES]
    else:
        chosen = [(("sqlite", "all"), case) for case in CASES]
        chosen += [(("postgres", "some"), case) for case in CHOICES["some"]]
    names = [f"{case}-postgres" if on == "postgres" else str(case) for (on, _), case in chosen]
    metafunc.parametrize(("journeys", "case"), chosen, ids=names, indirect=["journeys"])


@pytest.fixture
def journeys(request: pytest.FixtureRequest, travelled: Travelled) -> dict[str, Journey]:
    """What became of the threads, by route."""
    return travelled(*request.param)


@pytest.fixture(scope="session")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Travelled:
    """Runs cases on a database along all routes, or says again what became of them."""

    @cache
    def run(database: str, choice: str) -> dict[str, Journey]:
        folder = tmp_path_factory.mktemp("threads")
        if database == "sqlite":
            numbers = itertools.count()
            return travel(folder, choice, lambda: str(folder / f"{next(numbers)}.sqlite"))
        with databases(postgres_environment().ensure().python) as make:
            return travel(folder, choice, make)

    return run
