"""Tests of the rule books, and the worked cases beside them."""
