"""Types and markers shared by the private modules."""

from __future__ import annotations

from dataclasses import Field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from pydantic import BaseModel


class TypedDictLikeV1(Protocol):
    """A `TypedDict` whose key sets are class variables, as type checkers may see it."""

    __required_keys__: ClassVar[frozenset[str]]
    __optional_keys__: ClassVar[frozenset[str]]


class TypedDictLikeV2(Protocol):
    """A `TypedDict` whose key sets are plain attributes, as other type checkers see it."""

    __required_keys__: frozenset[str]
    __optional_keys__: frozenset[str]


class DataclassLike(Protocol):
    """Anything made by `dataclasses.dataclass`."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class _ModelLike(Protocol):
    """What stands for pydantic's `BaseModel` at run time, so that it need not be imported."""

    model_fields: ClassVar[dict[str, Any]]


if TYPE_CHECKING:
    StateLike: TypeAlias = TypedDictLikeV1 | TypedDictLikeV2 | DataclassLike | BaseModel
else:
    StateLike = TypedDictLikeV1 | TypedDictLikeV2 | DataclassLike | _ModelLike
"""A state, input, output or context type: a `TypedDict`, a dataclass or a pydantic model."""


class Marker:
    """A value told by its identity, which copies and pickles keep: they refer to it by its name."""

    def __init__(self, name: str, module: str) -> None:
        """Make the one that `module` has under `name`."""
        self._name = name
        self.__module__ = module

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


MISSING = Marker("MISSING", __name__)
"""Marks the absence of a value where `None` is a value."""


class DeprecatedKwargs(TypedDict):
    """Keyword arguments that still work, with a warning; to type checkers there are none."""


class RunKwargs(DeprecatedKwargs, total=False):
    """Keyword arguments of runs that upstream has not."""

    view: bool | Literal["tokens"]
    """Whether the graph gets a viewer, which shows the run, and whether models stream for it."""


DC_KWARGS = {"kw_only": True, "slots": True, "frozen": True}
"""Of dataclasses that users make: by keyword, and for good."""

EMPTY_SEQ: tuple[str, ...] = ()
"""The one empty sequence of strings."""
