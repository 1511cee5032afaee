"""One definition: its document, its history, and what it is used by."""
