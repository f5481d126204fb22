"""The nouns of payments."""
