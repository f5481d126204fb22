"""What one can ask of notify, one file per verb."""
