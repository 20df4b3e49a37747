"""Transcripts of programs that did not come to an end; both sides' processes import this."""

HUNG = "the process hung"
DIED = "the process died"
GROWN = "the program grew beyond all bounds"
