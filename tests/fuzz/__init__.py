"""Broken bytes for the decoder of stored values: an error or a value, and nothing else happens."""
