"""TCP, TLS passthrough and UDP: connections and datagrams come in and go out on the other side, unread."""
