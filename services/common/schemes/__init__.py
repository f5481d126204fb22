"""The rule books, as dated data with their sources."""
