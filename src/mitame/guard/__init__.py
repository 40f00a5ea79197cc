"""Guard: what an edit may do, and what of it no scanner can do."""
