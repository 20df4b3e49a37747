"""What a thread takes, and what it would as changes."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from langgraph_rust._storage.report import as_data, uses
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction


def storage(source: Source, thread: str, redaction: Redaction) -> dict[str, Any]:
    """Return sizes in bytes by namespace and channel, and what linear storage would save.

    Looks at every checkpoint of the thread.

    Raises:
        Unusable: the database cannot be looked into.
    """
    with closing(source.database()) as database:
        return redaction.everywhere(as_data(list(uses(database, [thread])), database.space()))
