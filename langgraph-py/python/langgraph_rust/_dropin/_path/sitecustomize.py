"""In place of `langgraph_rust_switch.pth`, where that is not installed; see `_dropin._children`.

It takes itself off the path, does what the file would do, and lets the next `sitecustomize` run.
Other Pythons may come across it, so what it does is for them to understand.
"""

import os
import sys


def _start():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    if sys.version_info < (3, 10) or os.environ.get("LANGGRAPH_RUST", "0") in ("", "0"):
        return
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    if root not in sys.path:
        sys.path.append(root)
    try:
        from langgraph_rust._dropin._start import start

        start()
    except Exception as error:
        sys.stderr.write("langgraph_rust: not switched on: %s\n" % error)  # noqa: UP031


def _next():
    ours = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError as error:
        if error.name != __name__:
            raise
        sys.modules[__name__] = ours


_start()
_next()
