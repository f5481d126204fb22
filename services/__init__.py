"""The platform: one package per service, joined by the common ground."""
