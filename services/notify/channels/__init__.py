"""Ways to an SMS provider: one file each, all in the shape of `base`."""
