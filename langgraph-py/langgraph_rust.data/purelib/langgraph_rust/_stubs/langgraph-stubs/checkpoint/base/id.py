# Written by `make places`.
from langgraph_rust.checkpoint.base.id import UUID as UUID
from langgraph_rust.checkpoint.base.id import first_id_at as first_id_at
from langgraph_rust.checkpoint.base.id import time_of as time_of
from langgraph_rust.checkpoint.base.id import uuid6 as uuid6
