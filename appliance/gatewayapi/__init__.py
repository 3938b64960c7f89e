"""The Gateway API: objects and surroundings come in, a snapshot and the statuses of everything go out. Pure.

This package refuses to know clocks, sockets, the store and how the proxy does its work: the same objects give the same
answer, in whatever order they come.
"""
