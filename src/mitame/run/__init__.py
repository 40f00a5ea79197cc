"""From files to files: one scan, a folder, many."""
