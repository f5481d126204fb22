"""The platform as a whole, every process and server running."""
