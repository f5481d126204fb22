"""All SQL of enrollment, and how personal data lie in it."""
