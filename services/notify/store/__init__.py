"""All SQL of notify, by set."""
