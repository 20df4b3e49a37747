"""Servers, tracers and the like that people run LangGraph in: the same there on either engine.

`drive` has a folder for each: what it needs, and programs that drive it. They run in an
environment of the client's own, with upstream and this package installed: once with the switch off
and once with it on. What they saw is compared.
"""
