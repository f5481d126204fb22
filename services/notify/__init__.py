"""Words out: warm reminders and notices."""
