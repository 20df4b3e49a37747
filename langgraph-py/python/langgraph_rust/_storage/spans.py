"""Where things are in stored bytes: the parts of msgpack, found without decoding them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SIZED = {
    # Kind: width of the length, bytes beside header and payload, items per count.
    **dict(zip((0xC4, 0xC5, 0xC6), ((1, 0, 0), (2, 0, 0), (4, 0, 0)), strict=True)),  # bin
    **dict(zip((0xC7, 0xC8, 0xC9), ((1, 1, 0), (2, 1, 0), (4, 1, 0)), strict=True)),  # ext
    **dict(zip((0xD9, 0xDA, 0xDB), ((1, 0, 0), (2, 0, 0), (4, 0, 0)), strict=True)),  # str
    **dict(zip((0xDC, 0xDD), ((2, 0, 1), (4, 0, 1)), strict=True)),  # array
    **dict(zip((0xDE, 0xDF), ((2, 0, 2), (4, 0, 2)), strict=True)),  # map
}
_FIXED = {
    **dict.fromkeys((0xC0, 0xC2, 0xC3), 1),
    **{0xCA: 5, 0xCB: 9},
    **{0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9},
    **{0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9},
    **{0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18},
}
"""Sizes of what has no length: constants, numbers, short records."""


class BrokenBytes(ValueError):
    """What is stored is no msgpack, or not what belongs there."""


def end_of(data: bytes, at: int) -> int:
    """Return where the value that begins at `at` ends."""
    left = 1
    try:
        while left:
            left -= 1
            kind = data[at]
            if kind < 0x80 or kind >= 0xE0:
                at += 1
            elif 0xA0 <= kind < 0xC0:
                at += kind - 0x9F
            elif kind < 0xA0:
                at += 1
                left += 2 * (kind & 0xF) if kind < 0x90 else kind & 0xF
            elif kind in _FIXED:
                at += _FIXED[kind]
            else:
                width, extra, per_count = _SIZED[kind]
                count = int.from_bytes(data[at + 1 : at + 1 + width], "big")
                at += 1 + width + extra
                if per_count:
                    left += per_count * count
                else:
                    at += count
    except (IndexError, KeyError):
        raise BrokenBytes(f"no msgpack at byte {at} of {len(data)}") from None
    if at > len(data):
        raise BrokenBytes(f"cut off: {len(data)} bytes of {at}")
    return at


def list_at(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """Return how many items the list that begins at `at` has, and where they begin."""
    return _counted(data, at, 0x90, 0xDC)


def map_at(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """Return how many entries the map that begins at `at` has, and where they begin."""
    return _counted(data, at, 0x80, 0xDE)


def _counted(data: bytes, at: int, short: int, long: int) -> tuple[int, int] | None:
    kind = data[at] if at < len(data) else 0
    if kind & 0xF0 == short:
        return kind & 0xF, at + 1
    if kind in (long, long + 1):
        width = 2 if kind == long else 4
        return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
    return None


def text_at(data: bytes, at: int) -> tuple[str, int] | None:
    """Return the text that begins at `at`, and where it ends."""
    kind = data[at] if at < len(data) else 0
    if 0xA0 <= kind < 0xC0:
        begin = at + 1
    elif 0xD9 <= kind <= 0xDB:
        begin = at + 1 + _SIZED[kind][0]
    else:
        return None
    end = end_of(data, at)
    return data[begin:end].decode("utf-8", "surrogatepass"), end


def record_at(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """Return the code of the extension record that begins at `at`, and where its body begins."""
    kind = data[at] if at < len(data) else 0
    if 0xD4 <= kind <= 0xD8:
        return data[at + 1], at + 2
    if 0xC7 <= kind <= 0xC9:
        width = _SIZED[kind][0]
        return data[at + 1 + width], at + 2 + width
    return None


class Entry(NamedTuple):
    """An entry of a map."""

    start: int
    value: int
    """Where the value begins."""
    end: int


def entries(data: bytes, at: int) -> Iterator[tuple[str, Entry]]:
    """Yield name and place of each entry of the map that begins at `at`."""
    found = map_at(data, at)
    if found is None:
        raise BrokenBytes(f"no map at byte {at}")
    count, at = found
    for _ in range(count):
        named = text_at(data, at)
        if named is None:
            raise BrokenBytes(f"a name that is no text at byte {at}")
        name, value = named
        end = end_of(data, value)
        yield name, Entry(at, value, end)
        at = end


def items(data: bytes) -> list[bytes]:
    """Return the items of a list, as bytes."""
    found = list_at(data)
    if found is None:
        raise BrokenBytes("no list")
    count, at = found
    made = []
    for _ in range(count):
        end = end_of(data, at)
        made.append(data[at:end])
        at = end
    return made


def list_of(count: int, parts: Iterable[bytes]) -> bytes:
    """Return a list of so many items, given as bytes."""
    return _header(count, 0x90, 0xDC) + b"".join(parts)


def map_header(count: int) -> bytes:
    """Return what begins a map of so many entries."""
    return _header(count, 0x80, 0xDE)


def _header(count: int, short: int, long: int) -> bytes:
    if count < 16:
        return bytes((short | count,))
    if count < 1 << 16:
        return bytes((long,)) + count.to_bytes(2, "big")
    return bytes((long + 1,)) + count.to_bytes(4, "big")
