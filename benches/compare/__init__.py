"""This package, upstream and the floor, side by side in one run.

``python -m benches.compare`` starts one process after the other for each side, so that whatever
else the machine does hits all three, and quotes ratios. The floor is what the same node functions,
reducers and schema classes cost when a hand-written loop calls them: no graph library can be
faster. See `cases` for what is measured, `worker` for the process that measures, `rounds` for how
the sides take turns.
"""
