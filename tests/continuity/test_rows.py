"""What is random gets a name; everything else is compared byte by byte."""

from __future__ import annotations

import pytest

from tests.continuity.rows import Names

FIRST, SECOND = b"1f0a2b3c-0000-6000-8000-0123456789ab", b"1f0a2b3c-0000-6000-8000-0123456789ac"


def test_what_was_equal_stays_equal() -> None:
    names = Names()
    assert names.settle(FIRST + b"|" + SECOND + b"|" + FIRST) == b"<uuid 0>|<uuid 1>|<uuid 0>"
    assert names.known(f"a:{SECOND.decode()}|b:{'f' * 32}") == "a:uuid 1|b:?"


@pytest.mark.parametrize(
    "fraction", [b"0.1234567890123456", b"000.1234567890123", b"0000005.25e-05"]
)
def test_a_version_is_its_count_and_a_name(fraction: bytes) -> None:
    version = b"%032d.%s" % (3, fraction)
    stored = b"\xa3log\xd9" + bytes([len(version)]) + version + b"\xa1k"
    assert Names().settle(stored) == b"\xa3log<%032d.fraction 0>\xa1k" % 3


@pytest.mark.parametrize(
    "time", [b"\xd9\x202024-01-02T00:00:00.000001", b"\xb92024-01-02T00:00:00"]
)
def test_a_time_has_microseconds_unless_there_are_none(time: bytes) -> None:
    assert Names().settle(b"\xa2ts" + time + b"+00:00\xa1k") == b"\xa2ts<time>\xa1k"


def test_other_bytes_are_left_alone() -> None:
    data = b"\xd9\x20 20 2024-01-02 00:00:00+00:00 00000000-0000-0000-0000-000000000000 abc"
    assert Names().settle(data) == data
