"""Checkpoints: what is saved of a run, how it is encoded, and where it is kept."""
