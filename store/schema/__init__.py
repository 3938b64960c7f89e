"""Schemas: declarations come in; pruning, defaulting, validation and OpenAPI documents go out. Pure.

This package refuses to know kinds, objects at rest and HTTP.
"""
