"""A saver that keeps checkpoints in a Postgres database."""
