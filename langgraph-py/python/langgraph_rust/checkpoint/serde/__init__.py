"""Turning Python values into tagged bytes and back."""
