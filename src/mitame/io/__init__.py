"""The only place that opens image files."""
