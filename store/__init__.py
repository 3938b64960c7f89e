"""The store: Kubernetes-style objects behind verbs, kept in a log whose row id is the revision.

HTTP requests and in-process calls come in; objects as JSON bytes, Status errors and watch events go out. This room
refuses to know what a Gateway means, what a proxy is and where files lie that somebody watches.
"""
