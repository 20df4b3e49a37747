"""At home: a node whose code runs elsewhere, from its call to its end.

In come a node's input and its config, as the engine gives them to any node; out goes the node's
result, or its error is raised. What the node asks on its way is answered from its config. It knows
no executor but by `base`, and decides nothing about graphs.
"""
