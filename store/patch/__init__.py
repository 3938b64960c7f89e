"""Patches and field ownership, pure.

Enters: an object, a patch of one of the four types, its schema, who writes and when. Leaves: the new object, with its
field managers. Knows no storage, no HTTP, no clock; whether the new object is valid is decided elsewhere.
"""
