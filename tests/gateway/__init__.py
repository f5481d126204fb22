"""The gateway, before stand-ins for the services and with a real database."""
