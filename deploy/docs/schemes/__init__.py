"""The pages of docs/schemes/: every scheme in words, its figures with their sources, its cases."""
