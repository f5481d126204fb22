"""The bank's drop folder: ISO 20022 orders come in as files, reports and movements go out so."""
