"""What decides how tools are called: the calls themselves go through `_calls`.

What comes in are tools, tool calls, states and what tools return; what goes out are the arguments
of a call, messages and commands. `ToolNode` puts it together; its sync and its async way share all
that decides.
"""
