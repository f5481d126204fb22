"""The published language: one file per publishing service."""
