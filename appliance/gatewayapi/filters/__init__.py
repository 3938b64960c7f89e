"""One file per HTTP filter of the API: its JSON in, its variant of `proxy.snapshot.filters` out."""
