"""What claims answers, and what it is asked with."""
