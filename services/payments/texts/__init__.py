"""What payments puts on paper: months, slips, lists; in Chinese, with English beside it."""
