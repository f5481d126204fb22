"""The books of payments.

Rows of bulk tables are updated in place (fillfactor 50, no index on a column that changes); what
is waiting for something stands in a small table of its own.
"""
