"""Tests of the house itself: its order, its borders, its documents, its locks."""
