"""What payments answers, and what it is sent."""
