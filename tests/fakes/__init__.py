"""Stand-ins for what a test does not start, each speaking the real one's words."""
