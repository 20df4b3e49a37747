"""Old import paths of a few helpers."""
