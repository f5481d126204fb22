"""Why an amount is what it is, in Chinese and in English: line by line, as a page, as a slip."""
