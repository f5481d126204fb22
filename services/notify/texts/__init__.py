"""The words that notify sends, as data, and how they are filled in and counted."""
