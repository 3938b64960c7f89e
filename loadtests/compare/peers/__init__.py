"""One file per proxy: is it here, which version, and how it is told to do the same work as the others.

The same work is: one route (for HTTP: host and path prefix, one request header set, X-Forwarded-For, -Proto and -Host
set), one backend with kept-alive connections, and, where logs are on, one JSON line per request to a file.
"""
