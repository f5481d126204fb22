"""Notify: who is told what, once, in which words."""
