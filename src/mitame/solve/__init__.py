"""Mathematics on plain arrays; knows no images."""
