"""Kills, wipes, repeats, lost answers: a whole platform, its books checked from outside."""
