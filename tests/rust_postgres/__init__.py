"""The tests of `crates/langgraph-postgres`, on a PostgreSQL of their own."""
