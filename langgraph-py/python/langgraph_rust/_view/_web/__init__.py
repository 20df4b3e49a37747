"""The server: addresses, who may ask, what is told when something was stored.

In come requests of a browser, with the token. Nobody is answered without it, by another name than
our own, or on behalf of another page; nothing here looks into a value.
"""
