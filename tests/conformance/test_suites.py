"""Several suites in one run: which are run, what they need, what comes of it all."""

from __future__ import annotations

import pytest

from tests.conformance import __main__ as command
from tests.conformance import needs
from tests.conformance.ids import read_ids
from tests.conformance.made import PASSES
from tests.conformance.suite import load_suites, read_suite

FAILS = "def test_passes(): assert False, 'broken'\n"
BOTH = PASSES + "def test_more(): raise OSError('it is not there')\n"
ID, MORE = "test_a.py::test_passes", "test_a.py::test_more"


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does not have the moon."""
    monkeypatch.setitem(needs.PROVIDERS, "moon", lambda provision, settings: "no moon here")


def test_each_suite_is_held_against_its_own_lists(run, made, capsys) -> None:
    made.suite(PASSES)
    made.suite(FAILS, "two")
    for name in ("one", "two"):
        made.store({ID}, name)
    assert run() == 1
    said = capsys.readouterr().out
    assert "conformance: one: 1 of 1 pass" in said
    assert "conformance: two: 0 of 1 pass" in said
    assert run("--suite", "one") == 0
    assert "two" not in capsys.readouterr().out


def test_each_suite_is_stored_in_its_own_folder(run, made) -> None:
    one, two = made.suite(PASSES), made.suite("def test_other(): pass\n", "two")
    assert run("--refresh-upstream") == 0
    assert run("--update") == 0
    assert [read_ids(suite.passing) for suite in (one, two)] == [{ID}, {"test_a.py::test_other"}]


def test_a_suite_that_was_cut_off_stops_no_other(run, made, capsys) -> None:
    made.suite("import os\ndef test_exits(): os._exit(1)\n")
    two = made.suite(PASSES, "two")
    for name in ("one", "two"):
        made.store({ID, "test_a.py::test_old"}, name)
    before = made.lists()
    assert run("--update") == command.CUT_OFF
    assert "conformance: one: THE RUN WAS CUT OFF" in capsys.readouterr().out
    assert made.lists() == before
    assert read_ids(two.passing) == {ID}


def test_a_suite_that_does_not_exist_is_refused(run, made) -> None:
    made.suite(PASSES)
    with pytest.raises(SystemExit, match=r"no such suite: three; there are one"):
        run("--suite", "three")


def test_lists_of_other_pins_judge_nothing(run, made, capsys) -> None:
    suite = made.suite(PASSES)
    made.store({ID})
    suite.upstream_passing.write_text(suite.upstream_passing.read_text().replace("#! ", "#! old "))
    before = made.lists()
    assert run("--update") == command.CUT_OFF
    assert "make conformance-upstream" in capsys.readouterr().out
    assert made.lists() == before


def test_a_file_is_run_of_the_suites_that_have_it(run, made, capsys) -> None:
    made.suite(PASSES)
    made.file("test_b.py", PASSES)
    made.suite(FAILS, "two")
    made.store({ID, "test_b.py::test_passes"})
    made.store({ID}, "two")
    assert run("test_b.py") == 0
    assert "two" not in capsys.readouterr().out
    assert run("test_a.py") == 1
    for wrong in ("test_c.py", ID):
        with pytest.raises(SystemExit, match="no such file"):
            run("test_b.py", wrong)


def test_a_keyword_is_run_of_the_suites_that_have_it(run, made, capsys) -> None:
    made.suite(PASSES)
    made.suite("def test_other(): assert False, 'this is why'\n", "two")
    for name in ("one", "two"):
        made.store({ID}, name)
    assert run("-k", "other") == 1
    assert "test_a.py::test_other: AssertionError: this is why" in capsys.readouterr().out
    assert run("-k", "passes") == 0
    assert run("-k", "nothing_like_it") == command.CUT_OFF


def test_what_the_machine_lacks_is_skipped_and_not_held_against_the_lists(
    run, made, lacking, capsys
) -> None:
    suite = made.suite(BOTH, settings='[needs.moon]\ntests = ["*::test_more"]\n')
    made.store({ID, MORE})
    assert run() == 0
    said = capsys.readouterr().out
    assert "conformance: one: 1 of 1 pass" in said
    assert "conformance: one: 1 skipped: no moon here" in said
    assert run("--update") == 0
    assert run("--refresh-upstream") == 0
    assert read_ids(suite.passing) == read_ids(suite.upstream_passing) == {ID, MORE}


def test_a_suite_whose_need_cannot_be_met_is_not_run(run, made, lacking, capsys) -> None:
    made.suite(FAILS, settings='[needs.moon]\ntests = ["*"]\n')
    made.suite(PASSES, "two")
    for name in ("one", "two"):
        made.store({ID}, name)
    assert run() == 0
    assert "conformance: one: NOT RUN: no moon here" in capsys.readouterr().out
    assert run("--suite", "one") == command.CUT_OFF, "it was asked for"


def test_a_need_unheard_of_is_a_mistake(run, made) -> None:
    made.suite(PASSES, settings='[needs.sun]\ntests = ["*"]\n')
    made.store({ID})
    with pytest.raises(ValueError, match="sun"):
        run()


def test_settings_that_nobody_reads_are_a_mistake(made) -> None:
    with pytest.raises(ValueError, match="job"):
        made.suite(PASSES, settings="job = 1\n")


def test_a_suite_has_its_environment_and_its_bound_on_workers(made, monkeypatch) -> None:
    monkeypatch.setenv("MOON", "full")
    source = "import os\ndef test_it(): assert os.environ['MOON'] == 'new'\n"
    runner = made.runner(source, 'jobs = 1\n[environment]\nMOON = "new"\n')
    assert runner.run([], 1).passed == {"test_a.py::test_it"}
    arguments = runner._arguments(2, "", made.folder)
    assert arguments[arguments.index("-n") + 1] == "1"


def test_skipped_tests_and_files_give_their_reason(made) -> None:
    runner = made.runner("import pytest\ndef test_it(): pytest.skip('too dark')\n")
    made.file("test_b.py", "import pytest\npytest.importorskip('no_moon', reason='no moon')\n")
    outcomes = runner.run([], 1)
    assert outcomes.skipped == {"test_a.py::test_it": "too dark", "test_b.py": "no moon"}
    assert outcomes.reason("test_b.py::test_any") == "skipped: no moon"


def test_the_suites_of_this_checkout_are_well_formed() -> None:
    for suite in load_suites([]):
        assert read_suite(suite.folder).needs.keys() <= needs.PROVIDERS.keys()
        assert read_ids(suite.passing) <= read_ids(suite.upstream_passing)
        for entry in [*suite.ledger, *suite.flaky]:
            assert entry.tests and entry.reason
