"""Load: locust users for every protocol, and the side-by-side comparison with other proxies.

A running gateway's addresses come in; reports and ratios go out. Nothing here is imported by the product.
"""
