"""Runs while they go on: those of this process, and those of workers.

In comes what runs show, as chunks or as rows, from whichever thread and process. Out go events for
the page: numbered, bounded, cut, without what is redacted. Nothing here begins a run or changes
what one does; what goes wrong in showing it is no error of the run's.
"""
