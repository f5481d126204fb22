"""The HTTP edge of payments: parse, authorise, call, present."""
