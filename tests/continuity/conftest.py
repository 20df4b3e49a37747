"""All routes are run once, before the first test."""

from __future__ import annotations

import pytest

from tests.continuity.routes import Journey, travel


@pytest.fixture(scope="session")
def journeys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Journey]:
    """What became of the threads, by route."""
    return travel(tmp_path_factory.mktemp("threads"))
