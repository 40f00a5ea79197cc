"""Scores, splits, and the benchmark."""
