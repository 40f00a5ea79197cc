"""Scans on disk, whatever their format: find, read, describe."""

from mitame.io.protocol import Protocol
from mitame.io.scan.describe import Description, describe
from mitame.io.scan.find import find_scans
from mitame.io.scan.scan import Scan, read
from mitame.io.scan.visit import Visit, find_visit, read_visit

__all__ = [
    "Description",
    "Protocol",
    "Scan",
    "Visit",
    "describe",
    "find_scans",
    "find_visit",
    "read",
    "read_visit",
]
