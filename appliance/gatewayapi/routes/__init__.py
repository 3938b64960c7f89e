"""One file per family of route kinds: a route's JSON in, what the proxy does with its traffic out.

Nothing here knows Gateways: to which listeners a route attaches is `attachment`'s work.
"""
