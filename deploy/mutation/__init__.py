"""Changes of the engine, one at a time, each of which a test should notice."""
