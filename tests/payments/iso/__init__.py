"""The ISO 20022 channel: orders out, reports, notices and statements in."""
