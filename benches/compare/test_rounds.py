"""Which cases share a process."""

from __future__ import annotations

from benches.compare.cases import all_cases
from benches.compare.rounds import GROUP, groups


def test_cases_that_need_a_package_share_no_process_with_others() -> None:
    labels = tuple(f"{case.name}:{mode}" for case in all_cases().values() for mode in case.modes)
    found = list(groups(labels))
    beside = [{all_cases()[label.partition(":")[0]].beside for label in group} for group in found]
    assert {len(needed) for needed in beside} == {1}
    assert {"langchain"} in beside
    assert [label for group in found for label in group] == list(labels)
    assert max(map(len, found)) <= GROUP
