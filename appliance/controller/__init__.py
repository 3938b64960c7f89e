"""The controller: the store's changes and the proxy's reports come in, snapshots and statuses go out.

What a Gateway means is `gatewayapi`'s business; here are the clock, the machine's addresses, the tasks and the writes.
"""
