"""ISO 20022 over a drop folder: pain.001 to the bank; pain.002, camt.054 and camt.053 from it."""
