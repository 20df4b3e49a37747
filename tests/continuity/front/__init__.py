"""Threads that change hands between Rust and Python, on the same databases.

The same graphs are written twice: in Python (`graphs`, run by `program` on upstream's LangGraph and
on this package) and in Rust (`rust/src/graphs`). They hold plain data and messages, which is what
both can read. Each side takes turns in processes of their own, along several routes (`routes`);
whoever takes them, the results, what is to be seen of a thread, and the rows in the SQLite database
have to be the same.
"""
