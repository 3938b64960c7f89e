"""Faults on purpose, too long for every test run: `python -m tests.faults kill` and `python -m tests.faults change`.

Each prints what it counted and exits with 1 when a promise was broken.
"""
