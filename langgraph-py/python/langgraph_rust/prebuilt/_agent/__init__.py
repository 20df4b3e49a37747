"""The parts of the agent that `create_react_agent` puts together.

What comes in are a model, a prompt and what else the user gave; what goes out are functions to be
nodes and routes. Nothing here knows the graph they are put into.
"""
