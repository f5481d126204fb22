"""Writes the generated pages of docs/ from the code they speak of."""
