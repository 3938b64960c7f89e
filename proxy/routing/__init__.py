"""Compiled matchers: hostnames, paths, headers and queries come in, the rule that takes the request goes out.

Pure: this room refuses to know connections, clocks and chance.
"""
