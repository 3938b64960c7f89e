"""Health, readiness and metrics: what the planes say of themselves comes in, HTTP answers go out.

Nothing is measured here; every figure belongs to the room that it speaks of.
"""
