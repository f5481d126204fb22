"""The channel to 招商银行, against a bank of a few lines and against the sandbox's."""
