"""Elements: a sparse sum of named, physical differences."""

from mitame.engines.elements.engine import Elements

__all__ = ["Elements"]
