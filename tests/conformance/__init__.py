"""Upstream's own test suite, run unmodified against this package.

The loop: bring the environment and the suite into being (`sync`), run pytest in drop-in mode
(`suite`), read what each test did (`outcomes`), compare it with what upstream passes and with what
passed here before (`verdict`), account for the rest (`ledger`), and print it (`report`).
"""
