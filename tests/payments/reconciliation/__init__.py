"""Bank and book side by side: what the bank tells, what it is matched with, what is left open."""
