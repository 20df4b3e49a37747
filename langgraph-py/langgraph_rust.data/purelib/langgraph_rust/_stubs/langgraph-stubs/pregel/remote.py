# Written by `make places`.
from langgraph_rust.pregel.remote import RemoteException as RemoteException
from langgraph_rust.pregel.remote import RemoteGraph as RemoteGraph

__all__ = [
    "RemoteException",
    "RemoteGraph",
]
