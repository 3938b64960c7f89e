"""The contract between controller and proxy: frozen plain data, and the reports that answer it.

Everything here pickles, compares by value and is never mutated; unchanged parts of consecutive snapshots are the
same objects, so that what was compiled from them is kept. No behaviour beyond canonical encoding lives here.
"""
