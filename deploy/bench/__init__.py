"""How fast the platform is, measured through its public doors."""
