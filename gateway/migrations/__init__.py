"""The steps of the gateway's database."""
