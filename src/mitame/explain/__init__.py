"""Where groups differ: the place, what everything shares, and how sure."""
