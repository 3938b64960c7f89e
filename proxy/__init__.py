"""The data plane: frozen snapshots come in, traffic is carried, reports of what really happened go out.

This room refuses to know the Kubernetes API, the store, YAML and where a snapshot came from.
"""
