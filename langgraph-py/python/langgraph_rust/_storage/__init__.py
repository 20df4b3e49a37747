"""What a database of checkpoints takes, and making it smaller: `python -m langgraph_rust storage`.

In come the path of a SQLite database or the URL of a Postgres one, and the names of threads and
channels. What decides knows neither: it asks a `Database`. Rows are looked at as bytes: lists and
their items are found by their lengths, and only messages that were written without ids are ever
decoded, with nothing permitted but what is known to be harmless.

Nothing here runs in a graph's process, makes tables, or takes out a value that the rows that stay
do not give again, byte for byte.
"""
