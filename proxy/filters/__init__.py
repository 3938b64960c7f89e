"""Filters, one file each: the snapshot's filter comes in, something cheap to apply to a head goes out.

Pure; no filter knows another, and none knows connections.
"""
