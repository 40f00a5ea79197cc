"""What a reader sees: the report."""
