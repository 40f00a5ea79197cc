"""One subject, two dates: what really changed."""
