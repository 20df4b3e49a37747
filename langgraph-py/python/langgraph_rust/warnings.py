"""The warnings of this package: of what is going away, and of what has no effect."""

from __future__ import annotations

__all__ = (
    "LangGraphDeprecatedSinceV05",
    "LangGraphDeprecatedSinceV10",
    "LangGraphDeprecatedSinceV11",
    "LangGraphDeprecationWarning",
    "LangGraphMistakeWarning",
)


class LangGraphDeprecationWarning(DeprecationWarning):
    """Something of the API is going away.

    Args:
        message: What is deprecated, and what to use instead.
        *args: Further warning arguments, kept as they are.
        since: `(major, minor)` of the version that deprecated it.
        expected_removal: `(major, minor)` of the version that drops it; the next major by default.
    """

    message: str
    since: tuple[int, int]
    expected_removal: tuple[int, int]

    def __init__(
        self,
        message: str,
        *args: object,
        since: tuple[int, int],
        expected_removal: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message, *args)
        self.message = message.rstrip(".")
        self.since = since
        self.expected_removal = expected_removal or (since[0] + 1, 0)

    def __str__(self) -> str:
        since = "{}.{}".format(*self.since)
        removal = "{}.{}".format(*self.expected_removal)
        return f"{self.message}. Deprecated in LangGraph V{since} to be removed in V{removal}."


class LangGraphDeprecatedSinceV05(LangGraphDeprecationWarning):
    """Deprecated since 0.5, to be removed in 2.0."""

    def __init__(self, message: str, *args: object) -> None:
        super().__init__(message, *args, since=(0, 5), expected_removal=(2, 0))


class LangGraphDeprecatedSinceV10(LangGraphDeprecationWarning):
    """Deprecated since 1.0, to be removed in 2.0."""

    def __init__(self, message: str, *args: object) -> None:
        super().__init__(message, *args, since=(1, 0), expected_removal=(2, 0))


class LangGraphDeprecatedSinceV11(LangGraphDeprecationWarning):
    """Deprecated since 1.1, to be removed in 3.0."""

    def __init__(self, message: str, *args: object) -> None:
        super().__init__(message, *args, since=(1, 1), expected_removal=(3, 0))


class LangGraphMistakeWarning(UserWarning):
    """Something that a program asks for cannot be, and would have no effect or an unwanted one.

    LangGraph goes on in silence, and so does this package, after this warning. Where strictness is
    asked for (`LANGGRAPH_RUST_STRICT=1`, `langgraph_rust.install(strict=True)`), and where Python
    is told to raise warnings, it is raised instead. `docs/mistakes.md` lists them all.
    """
