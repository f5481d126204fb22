"""Sentences that the common ground keeps."""
