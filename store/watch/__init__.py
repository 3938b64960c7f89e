"""Watches: committed changes come in, bounded streams of events go out. A writer never waits for a watcher."""
