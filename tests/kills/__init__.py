"""Processes that are killed while a graph runs: nothing that was shown or finished is lost.

A graph runs on a thread in a SQLite or Postgres database, in a process that is ended by ``kill -9``
at a random moment. Another process goes on with the thread. Or it is only interrupted or cancelled
(`signals`), also with a saver in memory, and the same process goes on.
"""
