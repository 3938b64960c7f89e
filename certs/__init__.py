"""Certificates: PEM comes in, checked bundles and ready SSL contexts go out; also the appliance's own authority.

This room refuses to know what a Gateway, a Secret or a connection is.
"""
