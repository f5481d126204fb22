"""The books of payments.

Rows of bulk tables are updated in place (room on the page, no index on a column that changes); what
is waiting for something stands in a small table of its own.
"""
