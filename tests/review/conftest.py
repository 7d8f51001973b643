"""In which store does a test of the workspace keep its rows? In memory; those that ask for it in PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from review_stores import cluster, use_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def each_store(request: pytest.FixtureRequest) -> Iterator[str]:
    """A test with it runs in memory, and beside `make test` in PostgreSQL with the server's lesser role; skipped where there is none."""
    if request.param == "postgresql":
        cluster()
    use_store(request.param)
    yield request.param
    use_store("sqlite")
