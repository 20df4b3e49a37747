"""Random histories of threads with a delta channel, here and on upstream.

Each program runs, resumes, rewinds, forks and updates a thread whose state has two lists: one in a
delta channel, one with a plain reducer. Nodes add to both, overwrite both, fail and interrupt. At
every checkpoint of the thread both must hold the same, and what is stored must be what upstream
stores.

The loop: make a program from a seed (`generate`), run it in a process of each side (`runner`), and
compare (`__main__`). A program is plain data.
"""
