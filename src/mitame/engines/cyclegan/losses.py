"""What training makes small."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def adversarial(scores: Tensor, real: bool, inside: Tensor) -> Tensor:
    """Return how far scores are from 1 if real, from 0 if not: least squares.

    Parameters
    ----------
    scores : tensor, shape (batch, 1, h / n, w / n)
        Of pieces of slices.
    real : bool
        Whether they should be 1.
    inside : tensor, shape (batch, 1, h, w)
        1 in the brain; a piece counts as much as it holds of it.
    """
    share = brain_in(scores, inside)
    # Sums are wrong in half precision, which a GPU computes scores in.
    wrong: Tensor = ((scores.float() - float(real)) ** 2 * share).sum()
    return wrong / share.sum().clamp(min=1)


def brain_in(scores: Tensor, inside: Tensor) -> Tensor:
    """Return how much of each piece that has a score is brain, shape of the scores."""
    height, width = scores.shape[2:]
    return functional.adaptive_avg_pool2d(inside, (height, width))


def apart(one: Tensor, other: Tensor, inside: Tensor) -> Tensor:
    """Return the mean absolute difference inside the brain.

    Parameters
    ----------
    one, other : tensor, shape (batch, n_images, h, w)
        Slices.
    inside : tensor, shape (batch, 1, h, w)
        How much each voxel counts.
    """
    count = inside.sum() * one.shape[1]
    found: Tensor = ((one - other).abs() * inside).sum() / count.clamp(min=1)
    return found


def unsteady(change: Tensor, level: float, inside: Tensor) -> Tensor:
    """Return the share of some noise's power that an edit follows.

    What scanners do to tissue does not follow its noise. A generator that makes noise
    larger does what a discriminator likes where the target has more of it, and takes
    the result farther from the truth.

    Parameters
    ----------
    change : tensor, shape (batch, n_images, h, w)
        Of the edit, when white noise is added to what it is made from.
    level : float
        Standard deviation of that noise.
    inside : tensor, shape (batch, 1, h, w)
        How much each voxel counts.
    """
    count = inside.sum() * change.shape[1]
    found: Tensor = ((change / level) ** 2 * inside).sum() / count.clamp(min=1)
    return found
