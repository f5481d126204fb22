"""A bank that takes batch files, books them line by line and answers with a result file."""
