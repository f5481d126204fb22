"""The file channels P1 and P2: what they write, what they believe, and what they cost."""
