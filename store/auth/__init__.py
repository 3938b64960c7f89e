"""Who asks, and whether they may.

Enters: the Authorization header, the verified client certificate, what is asked for. Leaves: a User, or a refusal.
Knows no HTTP and no storage; anonymous requests are let through by store.http alone, and only where it says so.
"""
