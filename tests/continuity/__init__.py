"""Threads that change hands: upstream's LangGraph and this package on the same databases.

One program (`program`, with the graphs of `graphs`) is run on both sides, each turn in a process of
its own, along several routes: upstream alone, this package alone, each handing over to the other
after every turn, and this package with upstream's savers and its own in turn (`routes`). Whoever
takes the turns, the results, what the API shows of a thread, and the rows in the SQLite or Postgres
database (`rows`) have to be the same.
"""
