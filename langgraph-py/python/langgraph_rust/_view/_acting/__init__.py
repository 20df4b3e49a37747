"""What can be done with a thread when its graph is known: `--app`.

In come a graph of the user's and what the page asks for: to answer an interrupt, to write to the
state, to go on from a checkpoint. Out go runs, which are watched as any others, and checkpoints
where the thread is kept. Runs are ordinary ones: nothing is decided here that `ainvoke` and
`aupdate_state` do not decide.
"""
