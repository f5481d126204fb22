"""Plumbing; knows no domain."""
