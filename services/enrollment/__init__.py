"""Who is covered: units, members, service cards, coverage."""
