"""The folder: YAML files come in, server-side applies and ManifestFile objects go out.

Reading is pure and may happen in another process; what an object means is the store's to judge, not this room's.
"""
