"""What the public may ask, by audience."""
