"""Checkpoint ids: UUIDs of version 6, which sort by the time they were made."""

from __future__ import annotations

import random
import time
import uuid
from datetime import datetime, timedelta, timezone
from threading import Lock

_TICKS_BEFORE_UNIX_EPOCH = 0x01B21DD213814000
"""100 ns ticks between 1582-10-15, where version 1 and 6 timestamps start, and 1970-01-01."""

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_last_timestamp = 0
_last_timestamp_lock = Lock()


class UUID(uuid.UUID):
    """A UUID that also knows versions 6 to 8, on every supported Python.

    Takes the arguments of `uuid.UUID`; together with `int`, `version` may be 6, 7 or 8.
    """

    __slots__ = ()

    def __init__(
        self,
        hex: str | None = None,
        bytes: bytes | None = None,
        bytes_le: bytes | None = None,
        fields: tuple[int, int, int, int, int, int] | None = None,
        int: int | None = None,
        version: int | None = None,
        *,
        is_safe: uuid.SafeUUID = uuid.SafeUUID.unknown,
    ) -> None:
        others = (hex, bytes, bytes_le, fields)
        if int is None or any(other is not None for other in others):
            super().__init__(*others, int, version, is_safe=is_safe)
            return
        if not 0 <= int < 1 << 128:
            raise ValueError("int is out of range (need a 128-bit value)")
        if version is not None:
            if not 6 <= version <= 8:
                raise ValueError("illegal version number")
            int = _with_bits(int, at=62, width=2, value=0b10)
            int = _with_bits(int, at=76, width=4, value=version)
        super().__init__(int=int, is_safe=is_safe)

    @property
    def subsec(self) -> int:
        """The 20 bits of sub-second precision of a version 8 UUID."""
        return ((self.int >> 64) & 0xFFF) << 8 | (self.int >> 54) & 0xFF

    @property
    def time(self) -> int:
        """The timestamp: 100 ns ticks since 1582 (version 6), ms (7) or us (8) since 1970."""
        if self.version == 6:
            return self.time_low << 28 | self.time_mid << 12 | self.time_hi_version & 0xFFF
        if self.version == 7:
            return self.int >> 80
        if self.version == 8:
            # Rounded up, so that encoding and decoding agree.
            micros = -(-self.subsec * 10**6 // 2**20)
            return (self.int >> 80) * 10**6 + micros
        return super().time


def uuid6(node: int | None = None, clock_seq: int | None = None) -> UUID:
    """Return a new id, greater as a string than every id this process made before.

    Args:
        node: The last 48 bits; random if left out.
        clock_seq: 14 bits that break ties, of which the engine makes the step number (negative
            numbers wrap around); random if left out.
    """
    timestamp = _next_timestamp()
    if clock_seq is None:
        clock_seq = random.getrandbits(14)
    if node is None:
        node = random.getrandbits(48)
    value = (timestamp >> 12 & (1 << 48) - 1) << 80
    value |= (timestamp & 0xFFF) << 64
    value |= (clock_seq & 0x3FFF) << 48
    return UUID(int=value | node, version=6)


def time_of(checkpoint_id: str) -> datetime | None:
    """When a checkpoint was made, by its id; `None` if the id does not tell."""
    try:
        own = UUID(checkpoint_id)
    except ValueError:
        return None
    if own.version != 6:
        return None
    ticks = own.time - _TICKS_BEFORE_UNIX_EPOCH
    return datetime.fromtimestamp(ticks // 10 / 10**6, timezone.utc)


def first_id_at(when: datetime) -> str:
    """Return the id that those made at a time and later are not below, as strings.

    Args:
        when: The time, with its zone; to the microsecond.
    """
    microseconds = (when - _UNIX_EPOCH) // timedelta(microseconds=1)
    timestamp = max(microseconds * 10 + _TICKS_BEFORE_UNIX_EPOCH, 0)
    high, low = divmod(timestamp, 1 << 12)
    return f"{high >> 16:08x}-{high & 0xFFFF:04x}-6{low:03x}"


def _next_timestamp() -> int:
    global _last_timestamp
    with _last_timestamp_lock:
        now = time.time_ns() // 100 + _TICKS_BEFORE_UNIX_EPOCH
        _last_timestamp = max(now, _last_timestamp + 1)
        return _last_timestamp


def _with_bits(number: int, *, at: int, width: int, value: int) -> int:
    """Return `number` with the `width` bits from bit `at` upwards replaced by `value`."""
    return number & ~(((1 << width) - 1) << at) | value << at
