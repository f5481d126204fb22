"""Days and months of the ledger, and the reports made of them."""
