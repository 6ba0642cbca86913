"""Numbers and lists that people decide by: pure, from business records."""
