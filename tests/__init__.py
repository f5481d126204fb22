"""Sentences the platform keeps."""
