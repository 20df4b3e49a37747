"""Reading what strace has counted."""

from __future__ import annotations

from benches.compare.fsyncs import calls

TABLE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.91    0.024150           8      2688           pwrite64
 20.09    0.007662          44       171         1 fdatasync
  4.00    0.000662          44         3           fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.031812          11      2862         1 total
"""


def test_syncs_of_either_kind_count_and_nothing_else() -> None:
    assert calls(TABLE) == 174


def test_a_program_that_never_syncs_has_none() -> None:
    assert calls("") == 0
