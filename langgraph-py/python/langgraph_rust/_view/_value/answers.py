"""What requests are answered with."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse


class Json(JSONResponse):
    """JSON in ASCII: ids and names may have halves of characters, which are no UTF-8."""

    def render(self, content: Any) -> bytes:
        """Return the text, encoded."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def trouble(error: object, status: int) -> Json:
    """Return an answer that says what is the matter."""
    return Json({"error": str(error)}, status)
