"""Getting nodes, values and errors from one process to another, and back as what they were.

In come objects of either side; out go bytes, and the objects again. It starts nothing and asks
nobody.
"""
