"""``python -m sync.update [VERSION]``: move to another release of upstream and judge it.

Exits with 0 when there is nothing to do, 10 when it moved and nothing is lost, 11 when it moved and
something is lost, 12 when it could not be judged: then no file was changed. Behind `make`, which
turns every other status into 2, `.cache/sync/outcome/outcome.json` has it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Callable

from sync.environments import locked
from sync.pins import ROOT
from sync.update.index import Refused, real_index
from sync.update.outcome import Outcome, Status, save_outcome
from sync.update.run import Sync
from sync.update.suites import Harness, NotJudged


def main() -> int:
    """Do what the command line asks for; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="make sync", description=__doc__)
    parser.add_argument("version", nargs="?", help="the version to move to; default: the newest")
    parser.add_argument(
        "--report",
        nargs=2,
        metavar=("OLD", "NEW"),
        help="only write the report on two versions; no pin moves",
    )
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: 2)")
    options = parser.parse_args()
    if options.report and not all(options.report):
        # pip would be asked for a release without a version.
        sys.exit("give OLD and NEW, such as `make sync-report OLD=1.2.15 NEW=1.2.22`")
    # To be told to stop is an interruption like Ctrl-C: what was written is put back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def work() -> Outcome:
        sync = Sync(ROOT, real_index(), Harness(ROOT, options.jobs))
        return sync.report(*options.report) if options.report else sync.move(options.version)

    with locked("sync"):
        outcome = guarded(work)
        save_outcome(ROOT, outcome)
    print(f"{outcome.text.rstrip()}\n\nsync: {outcome.status.words}")
    return outcome.status


def guarded(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of `work`; whatever stops it is one that could not be judged."""
    try:
        return work()
    except Refused as error:
        why = "pip found nothing that fits, or could not get it:\n\n" + _indented(error.words)
    except NotJudged as error:
        why = f"{error}."
    except KeyboardInterrupt:
        why = "The run was interrupted."
    except SystemExit as error:
        why = f"An environment could not be made: {error.code}"
    except Exception as error:
        traceback.print_exc()
        why = f"The tool failed: {type(error).__name__}: {error}"
    title = "Following upstream could not be judged"
    return Outcome(Status.NOT_JUDGED, title=title, text=f"{why}\n\nNothing was changed.\n")


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
