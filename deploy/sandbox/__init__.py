"""The other side: a bank, an SMS provider and WeChat, with books of their own."""
