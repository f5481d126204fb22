"""Enrollment, from a unit's file to the events that the others live on."""
