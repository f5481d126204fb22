"""Real servers embedded on one machine, and the supervisor that keeps them up."""
