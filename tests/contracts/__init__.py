"""Tests of the published language: what readers of events may rely on."""
