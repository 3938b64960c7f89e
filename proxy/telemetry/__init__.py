"""What happened comes in as plain values; log lines and metrics go out. Traffic never waits for either."""
