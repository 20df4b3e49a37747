"""``python -m tests.conformance [FILE ...]``: run upstream's tests here and judge the result.

Runs one suite after the other, all of those that can be run unless ``--suite`` picks some. Exits
with 1 when a test listed in a suite's `passing.txt` no longer passes, or passes only at the second
try and is not listed in its `flaky.toml`; with 3 when the run of a suite did not come to its end:
then nothing of it is judged and none of its lists is written. A suite that cannot be run on this
machine is one that did not come to its end if it was asked for by name.
"""

from __future__ import annotations

import argparse
import signal
import sys

from tests.conformance.runner import CutOff
from tests.conformance.session import NothingChosen, NotRun, run_suite
from tests.conformance.suite import load_suites

CUT_OFF = 3
"""Exit status of a run that did not come to its end."""


def main() -> int:
    """Run what the command line asks for; returns the process's exit status."""
    options = _parse()
    # To be told to stop is an interruption like Ctrl-C: pytest and its workers end, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    suites = load_suites(options.suites)
    if missing := set(options.files).difference(*(suite.files for suite in suites)):
        sys.exit(f"no test of {', '.join(missing)} passes on upstream: there is no such file")
    statuses: list[int] = []
    for suite in suites:
        try:
            statuses.append(run_suite(suite, options))
        except NothingChosen:
            continue
        except NotRun as why:
            print(f"conformance: {suite.name}: NOT RUN: {why}")
            statuses.append(CUT_OFF if options.suites else 0)
        except (CutOff, KeyboardInterrupt) as error:
            why = str(error) or "it was interrupted"
            said = f"THE RUN WAS CUT OFF: {why}; nothing was judged or written"
            print(f"conformance: {suite.name}: {said}")
            statuses.append(CUT_OFF)
            if isinstance(error, KeyboardInterrupt):
                break
    if not statuses:
        print(f"conformance: THE RUN WAS CUT OFF: no test matches {options.keyword!r}")
    return max(statuses, default=CUT_OFF)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("files", nargs="*", help="test files, such as test_state.py; default: all")
    parser.add_argument(
        "--suite",
        dest="suites",
        action="append",
        default=[],
        metavar="NAME",
        help="a distribution whose tests are run, once for each; default: all that can run",
    )
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: 2)")
    parser.add_argument("-k", dest="keyword", default="", help="pytest's -k; shows the failures")
    parser.add_argument("--update", action="store_true", help="rewrite passing.txt from this run")
    parser.add_argument(
        "--refresh-upstream", action="store_true", help="run the suites on upstream and store that"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
