"""Upstream's own test suites, run unmodified against this package.

There is one for each distribution whose source distribution is pinned; what is known of each stands
in `suites`. The loop (`session`): bring the environment and the suite into being (`sync`), provide
what its tests need (`needs`), run pytest in drop-in mode (`runner`), read what each test did
(`outcomes`), compare it with what upstream passes and with what passed here before (`verdict`),
account for the rest (`ledger`), print it (`report`), and keep the table of all suites (`counts`).
"""
