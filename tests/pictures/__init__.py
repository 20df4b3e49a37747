"""Pictures of many graphs, each reviewed: nothing lies on something else, and nothing is missing.

The graphs are those that upstream's own tests build: they run in drop-in mode, and `recorder` draws
every graph that is made meanwhile, with its subgraphs closed and open. `review` then looks at the
elements of each picture, and knows nothing of how they were laid out.
"""
