"""Listeners: the binds of a snapshot come in, listening sockets that change what they do without closing go out."""
