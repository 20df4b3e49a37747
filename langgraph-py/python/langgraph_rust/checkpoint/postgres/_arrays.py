"""Columns of rows as arrays that Postgres takes as they are.

Psycopg looks at each element of a list to find its type, which takes longer than to store it.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import AdaptersMap, Dumper, PyFormat
from psycopg.pq import Format

_HEADER = Struct("!iiIii").pack
"""Dimensions, whether there are nulls, the type of the elements; their number, the first index."""

_LENGTH = Struct("!i").pack
_NUMBER = Struct("!ii").pack
_NULL = _LENGTH(-1)


class _Array:
    """A column of one type."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values


class Texts(_Array):
    """Of `text`."""


class Numbers(_Array):
    """Of `int`, four bytes each."""


class Blobs(_Array):
    """Of `bytea`, or nulls."""


class _ArrayDumper(Dumper):
    format = Format.BINARY
    element = 0

    def dump(self, obj: _Array) -> bytes:
        """Encode, in the binary format of the protocol."""
        header = _HEADER(1, None in obj.values, self.element, len(obj.values), 1)
        return b"".join([header, *self.elements(obj.values)])

    def elements(self, values: Sequence[Any]) -> list[bytes]:
        raise NotImplementedError


class _TextsDumper(_ArrayDumper):
    oid = psycopg.adapters.types["text"].array_oid
    element = psycopg.adapters.types["text"].oid

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._encoding = self.connection.info.encoding if self.connection else "utf-8"

    def elements(self, values: Sequence[str]) -> list[bytes]:
        return _with_lengths([value.encode(self._encoding) for value in values])


class _BlobsDumper(_ArrayDumper):
    oid = psycopg.adapters.types["bytea"].array_oid
    element = psycopg.adapters.types["bytea"].oid

    def elements(self, values: Sequence[bytes | None]) -> list[bytes]:
        return _with_lengths(values)


class _NumbersDumper(_ArrayDumper):
    oid = psycopg.adapters.types["int4"].array_oid
    element = psycopg.adapters.types["int4"].oid

    def elements(self, values: Sequence[int]) -> list[bytes]:
        return [_NUMBER(4, value) for value in values]


def _with_lengths(values: Sequence[bytes | None]) -> list[bytes]:
    parts: list[bytes] = []
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts += _LENGTH(len(value)), value
    return parts


def make_known(adapters: AdaptersMap) -> None:
    """Have a connection know these; done once for each."""
    try:
        adapters.get_dumper(Texts, PyFormat.AUTO)
    except psycopg.ProgrammingError:
        adapters.register_dumper(Texts, _TextsDumper)
        adapters.register_dumper(Numbers, _NumbersDumper)
        adapters.register_dumper(Blobs, _BlobsDumper)
