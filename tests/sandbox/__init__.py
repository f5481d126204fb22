"""The other side is tested as its customers meet it: over HTTP, as a program of its own."""
