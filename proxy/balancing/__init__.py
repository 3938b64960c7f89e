"""Balancing, one file per algorithm: weights come in, the order of turns goes out. Pure."""
