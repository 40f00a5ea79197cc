"""A generator as ONNX, so that it runs without torch."""

from __future__ import annotations

import io
import warnings

import torch

from mitame.engines.cyclegan.networks import Generator
from mitame.engines.cyclegan.slices import FOLD

OPSET = 17
"""Of the ONNX file: what onnxruntime 1.14 (2023) and later can read."""


def to_onnx(generator: Generator) -> bytes:
    """Return a generator as an ONNX model of ``images, place -> made``."""
    generator = generator.eval()
    channels = generator.n_images, generator.n_place
    given = tuple(
        torch.zeros(1, n, edge, edge)
        for n, edge in zip(channels, (8, 8 // FOLD), strict=True)
    )
    names = ["images", "place", "made"]
    packed = io.BytesIO()
    with warnings.catch_warnings():
        # The new exporter wants another package, and gives the same six kinds of nodes.
        warnings.simplefilter("ignore", DeprecationWarning)
        # How a pad is written; what is not folded is a few numbers.
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            generator,
            given,
            packed,  # type: ignore[arg-type]  # takes files, and does not say so
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={
                "images": {0: "n", 2: "h", 3: "w"},
                "place": {0: "n", 2: "h/2", 3: "w/2"},
                "made": {0: "n", 2: "h", 3: "w"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    return packed.getvalue()
