"""What the public sends and is shown, by audience."""
