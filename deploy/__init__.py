"""How the platform is set up and what it is tried against."""
