"""DICOM series to volumes: classic and Enhanced multi-frame MR."""

from mitame.io.dicom.series import Series, find_series, is_dicom, select
from mitame.io.dicom.volume import read

__all__ = ["Series", "find_series", "is_dicom", "read", "select"]
