"""The HTTP edge of claims: parse, authorise, call, present."""
