"""What is shown, as functions of values: no terminal, no wire."""
