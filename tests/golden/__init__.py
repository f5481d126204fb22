"""Worked cases of the golden format, run through the real scheme data and the real engine."""
