"""`python -m langgraph_rust`: the command, see `langgraph-rust --help`."""

from __future__ import annotations

import sys

from langgraph_rust._cli import main

if __name__ == "__main__":
    sys.exit(main())
