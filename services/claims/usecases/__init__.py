"""What can be asked of claims: one function per thing, each one transaction."""
