"""One writer per thread: who may store next, and who has a thread to itself.

What comes in is what a saver is told (a config, the checkpoint that it is to store) and what it has
(the newest checkpoint, the lease of the thread), read by the saver within the transaction that
stores. What comes out is a decision; what a lease becomes is one too.

It never reads or stores anything itself, and it knows nothing of graphs.
"""
