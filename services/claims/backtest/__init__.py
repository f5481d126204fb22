"""A draft edition tried on claims that were settled: the same engine, and nothing is written."""
