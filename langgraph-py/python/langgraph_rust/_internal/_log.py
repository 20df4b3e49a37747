"""The logger of everything that happens while a graph runs."""

from __future__ import annotations

import logging

logger = logging.getLogger("langgraph")
