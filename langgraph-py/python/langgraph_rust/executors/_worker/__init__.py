"""In the worker: a node is called as if it were at home.

In comes a call as bytes, and a link to home; out goes how it ended, as bytes. The node's config has
stand-ins for what is at home (store, stream writer, answers to interrupts, called tasks, savers,
callbacks), which ask or tell. It never stores, and knows no executor.
"""
