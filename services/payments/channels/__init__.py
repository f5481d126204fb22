"""The ways to a bank, each behind the same interface."""
