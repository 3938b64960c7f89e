"""The log: compare-and-set writes come in, one store-wide sequence of revisions goes out. The only SQLite code.

An etcd could stand here instead; nothing above knows which it is. This package refuses to know kinds and JSON.
"""
