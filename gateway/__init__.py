"""The one public door: sessions, signatures, limits; no business data."""
