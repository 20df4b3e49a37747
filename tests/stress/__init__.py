"""Random small programs that fail, are cancelled and are run side by side, and what must hold then.

The loop: make a program from a seed (`generate`), build it (`build`, `calls`), run it undisturbed
and then as the program says (`runs`, `perform`), and look at what came of it (`checks`). A process
of its own does that for many programs (`worker`, `processes`), so that one that hangs or dies costs
one program. What fails a check is made smaller (`shrink`) and printed (`report`).

A program is plain data. Nothing here is compared with LangGraph: that is `tests.differential`'s.
"""
