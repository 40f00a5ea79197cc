"""Make brain MRI from different scanners look alike, and say what was changed."""

from mitame.core.errors import MitameError
from mitame.core.harmonizer import Harmonizer
from mitame.core.scanner import Scanner
from mitame.core.session import Session
from mitame.core.volume import Step, Volume

__all__ = ["Harmonizer", "MitameError", "Scanner", "Session", "Step", "Volume"]
