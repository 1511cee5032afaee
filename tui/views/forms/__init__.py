"""Forms: fields read from a JSON Schema, and what is written in them as a JSON document."""
