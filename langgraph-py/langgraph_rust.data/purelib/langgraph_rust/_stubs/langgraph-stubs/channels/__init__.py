# Written by `make places`.
from langgraph_rust.channels import AnyValue as AnyValue
from langgraph_rust.channels import BaseChannel as BaseChannel
from langgraph_rust.channels import BinaryOperatorAggregate as BinaryOperatorAggregate
from langgraph_rust.channels import DeltaChannel as DeltaChannel
from langgraph_rust.channels import EphemeralValue as EphemeralValue
from langgraph_rust.channels import LastValue as LastValue
from langgraph_rust.channels import LastValueAfterFinish as LastValueAfterFinish
from langgraph_rust.channels import NamedBarrierValue as NamedBarrierValue
from langgraph_rust.channels import NamedBarrierValueAfterFinish as NamedBarrierValueAfterFinish
from langgraph_rust.channels import Topic as Topic
from langgraph_rust.channels import UntrackedValue as UntrackedValue

__all__ = [
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "DeltaChannel",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
]
