"""What one can ask of enrollment: one function each, each one transaction."""
