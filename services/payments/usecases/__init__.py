"""What one can ask of payments; each is one transaction."""
