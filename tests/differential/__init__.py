"""Random graphs, run on this package and on LangGraph itself, must behave alike.

The loop: make programs from seeds (`generate`), run them in one process per side (`sides`,
`runner`), put both transcripts into a comparable form (`canon`), judge them (`verdict`) by what is
known (`known`, `explanations`), make what differs otherwise smaller (`shrink`), count (`tally`) and
print it (`report`). A program is plain data; `schemas`, `nodes` and `graphs` build it with whatever
`langgraph` is importable, `script` performs its actions, and `plain` writes down what came of them.
"""
