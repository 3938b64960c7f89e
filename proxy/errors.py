"""What can be wrong with a snapshot that the proxy is given."""


class SnapshotError(ValueError):
    """A snapshot that breaks its contract; the one in force stays."""
