"""One file per policy kind of the API: what it targets and what it does to a reference."""
