"""Stored values as data, in parts: what a page shows of them, and what changed.

In come bytes with their tags, and what is not to be shown. Records, which stand for objects, stay
bytes until somebody looks into them, so that a long list costs what is shown of it. No class is
built and no module imported on a value's behalf: a record is its name and what it was stored with.
"""
