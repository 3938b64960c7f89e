"""HTTP/2 (RFC 9113) and HPACK (RFC 7541): a connection's bytes come in, judged heads and payload go out.

A connection is fed with what was received and calls its handlers; what is to be sent collects in it until it is taken.
This room refuses to know sockets, clocks other than the one it is given, routes, and what anybody does with a request.
"""
