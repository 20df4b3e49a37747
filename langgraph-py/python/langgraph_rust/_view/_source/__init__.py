"""Where threads are read from: a SQLite file, a Postgres database, or a saver in memory.

In come places: a thread, a namespace, a checkpoint. Out go rows, with values as the bytes that they
are stored as. Lists of threads and checkpoints are read in pages, by what comes after the last one,
and without the values. Nothing here decodes a value, or writes.
"""
