"""Random histories of threads whose lists are stored as changes.

Each program of `tests.deltas` runs on two savers here: one stores its lists whole, one as changes,
switched off and on in the middle. Both must hold the same at every checkpoint. What the second one
stored is then read by upstream, which must see the same, goes on with the thread, and hands it
back.
"""
