"""The REST face of the store, as kubectl, curl and every Kubernetes client expect it.

HTTP requests come in, the service's verbs are called, JSON, YAML, Tables and watch streams go out. This package
refuses to know how objects are kept and judged (store.service does) and what they mean.
"""
