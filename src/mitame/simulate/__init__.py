"""Physics: one anatomy on many scanners, with exact truth."""
