"""What is not to be shown, by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

INSTEAD = "█████"


class Redaction:
    """Takes out what rules name.

    Args:
        keys: Names of channels, keys of dictionaries and fields of objects whose values are not
            shown, in whatever case; `*` stands for any letters.
        patterns: Regular expressions; what matches is not shown, in whatever text.

    Raises:
        ValueError: a pattern is none.
    """

    def __init__(self, keys: Sequence[str] = (), patterns: Sequence[str] = ()) -> None:
        self._given = tuple(keys), tuple(patterns)
        parts = [re.escape(key).replace(r"\*", ".*") for key in keys]
        self._keys = re.compile("|".join(parts), re.IGNORECASE | re.DOTALL) if parts else None
        try:
            self._patterns = [re.compile(pattern) for pattern in patterns]
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error

    def __bool__(self) -> bool:
        return bool(self._keys or self._patterns)

    def and_also(self, other: Redaction) -> Redaction:
        """Return the rules of both."""
        return Redaction(
            *((*own, *more) for own, more in zip(self._given, other._given, strict=True))
        )

    def hides(self, key: str) -> bool:
        """Whether the value of this key is not shown."""
        return self._keys is not None and self._keys.fullmatch(key) is not None

    def text(self, text: str) -> str:
        """Return a text without what is not shown."""
        for pattern in self._patterns:
            text = pattern.sub(INSTEAD, text)
        return text

    def everywhere(self, value: Any) -> Any:
        """Return JSON without what patterns match in its texts.

        What was taken out before stays so; this is for what is no stored value: names, ids. Keys
        are the page's, and so are the words for what something is.
        """
        if not self._patterns:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.everywhere(item) for item in value]
        if isinstance(value, dict):
            return {
                key: item if key in _WORDS else self.everywhere(item) for key, item in value.items()
            }
        return value


_WORDS = frozenset(("kind", "state", "tag", "type"))
"""Whose values the page goes by."""

NOTHING = Redaction()
"""Shows everything."""
