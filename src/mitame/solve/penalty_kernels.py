"""The compiled loop that flattens a line; `penalties` says what it computes."""

from __future__ import annotations

from mitame.solve.loops import Doubles, kernel


@kernel
def flattened(x: Doubles, weight: float, found: Doubles) -> None:
    """Set `found` to the z least in ``weight * |diff(z)|.sum() + |x - z|**2 / 2``.

    Exact and direct [1]_: the run that is being read may be as low as `low` and as high
    as `high`; the running sums above and below it say when one of the two is not to be
    held, and a run ends where it last could be.

    References
    ----------
    .. [1] L. Condat, "A direct algorithm for 1-D total variation denoising", IEEE
       Signal Processing Letters 20(11), 2013.
    """
    n = len(x)
    if n == 0:
        return
    place, start, last_low, last_high = 0, 0, 0, 0
    low, high = x[0] - weight, x[0] + weight
    over_low, over_high = weight, -weight
    while True:
        while place == n - 1:
            if over_low < 0:
                found[start : last_low + 1] = low
                start = last_low + 1
                place = last_low = start
                low, over_low = x[place], weight
                over_high = low + over_low - high
            elif over_high > 0:
                found[start : last_high + 1] = high
                start = last_high + 1
                place = last_high = start
                high, over_high = x[place], -weight
                over_low = high + over_high - low
            else:
                found[start:] = low + over_low / (place - start + 1)
                return
        over_low += x[place + 1] - low
        over_high += x[place + 1] - high
        if over_low < -weight:
            found[start : last_low + 1] = low
            start = last_low + 1
            place = last_low = last_high = start
            low, high = x[place], x[place] + 2 * weight
            over_low, over_high = weight, -weight
        elif over_high > weight:
            found[start : last_high + 1] = high
            start = last_high + 1
            place = last_low = last_high = start
            low, high = x[place] - 2 * weight, x[place]
            over_low, over_high = weight, -weight
        else:
            place += 1
            if over_low >= weight:
                low += (over_low - weight) / (place - start + 1)
                over_low, last_low = weight, place
            if over_high <= -weight:
                high += (over_high + weight) / (place - start + 1)
                over_high, last_high = -weight, place
