"""HTTP traffic: transports and snapshots come in, requests are matched, forwarded and answered.

This room refuses to know how sockets are bound, certificates chosen and names resolved.
"""
