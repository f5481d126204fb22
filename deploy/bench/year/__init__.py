"""A year of Beijing: its people and settlements, its run through the platform, its floor."""
