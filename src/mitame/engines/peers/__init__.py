"""Other people's harmonization methods as engines, to be compared with ours."""
