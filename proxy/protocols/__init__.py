"""Wire formats as pure functions of bytes: what was received comes in, judged heads and bodies go out.

This room refuses to know sockets, clocks, routes and what anybody does with a message.
"""
