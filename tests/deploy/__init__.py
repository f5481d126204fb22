"""Tests of the local set-up: real PostgreSQL, real Kafka, small programs as stand-ins."""
