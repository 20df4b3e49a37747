# Written by `make places`.
