"""Payments against a bank that drops, delays, repeats, garbles and forgets: seeded, replayable."""
