"""What mitame is not; light to import, for every page and every help text."""

NOTICE = "Research software; not a medical device; not for primary diagnosis."
