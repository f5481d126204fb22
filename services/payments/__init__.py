"""Money out: payouts, batches, the ledger."""
