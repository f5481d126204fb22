"""The bank's API door in the manner of China Merchants Bank: SM4 and SM2, batches in parts."""
