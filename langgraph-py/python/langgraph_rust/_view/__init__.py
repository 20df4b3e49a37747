"""The viewer: `langgraph-rust view` shows the threads of a database in a browser.

In come the path of a SQLite database or the URL of a Postgres one, and the requests of a browser on
this machine. Stored values are taken apart as data (`_value`); of a graph something is known only
if the command line names one.

Nothing here changes a database, unless it was started with `--write`; nothing builds a class that a
stored value names; nothing asks another machine for anything, nor has the page do so.
"""
