"""Upstreams: clusters come in, an endpoint to connect to goes out; names are resolved, refusing endpoints rest, idle
connections wait. What travels over a connection is not known here.
"""
