"""``python -m tests.differential.runner``: a transcript for each program on standard input.

Runs in either environment; what a program prints, or a library warns of, goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

from tests.differential.script import transcript


def main() -> None:
    """Answer each line, a program, with a line, its transcript."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        answers.write(json.dumps(transcript(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
