"""The API manifest: what upstream offers, read from its wheels without importing anything.

`extract` reads sources into `model`'s values, `manifest` stores upstream's in `upstream.json`,
`lookup` finds things in this package's sources and stubs, `compare` holds one against the other.
"""
