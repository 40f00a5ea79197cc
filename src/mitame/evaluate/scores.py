"""Every score, what it means and which way is better; tables and docs print it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Direction = Literal[
    "larger",
    "smaller",
    "toward 0",
    "toward 0.5",
    "toward 1",
]
"""Which values are better."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One score.

    Parameters
    ----------
    name : str
        What a column of a table is headed with.
    definition : str
        One sentence.
    unit : str
        Empty for a plain number.
    direction : str
        Which values are better.
    """

    name: str
    definition: str
    unit: str
    direction: Direction


_WHITE = "white-matter medians"

ILL_PERCENT = (0, 25, 50, 75, 100)
"""Of one training group: the points of the bias curve."""

_OF_LESIONS: tuple[tuple[str, str, str, str, Direction], ...] = (
    ("lesions_safe", "Safe", "The share of lesions safe", "", "larger"),
    (
        "invented_foci",
        "Foci",
        "The number of invented foci",
        "foci",
        "smaller",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "psnr": Metric(
            "PSNR",
            "Peak signal-to-noise ratio against the same subject on the target "
            "scanner, in the brain, for a peak of one white-matter median.",
            "dB",
            "larger",
        ),
        "psnr_noisefree": Metric(
            "PSNR without noise",
            "Peak signal-to-noise ratio against the noise-free image of the same "
            "subject on the target scanner, which only a simulation has.",
            "dB",
            "larger",
        ),
        "ssim": Metric(
            "SSIM",
            "Structural similarity to the same subject on the target scanner, "
            "averaged over the brain, in a Gaussian window of SD 1.5 voxels that "
            "sees nothing outside it.",
            "",
            "larger",
        ),
        "ssim_noisefree": Metric(
            "SSIM without noise",
            "Structural similarity to the noise-free image of the same subject on the "
            "target scanner, which only a simulation has.",
            "",
            "larger",
        ),
        "mae": Metric(
            "MAE",
            "Mean absolute error against the same subject on the target scanner, in "
            "the brain.",
            _WHITE,
            "smaller",
        ),
        "wasserstein": Metric(
            "Wasserstein",
            "First Wasserstein distance between the histograms of the brain.",
            _WHITE,
            "smaller",
        ),
        "gap_closed": Metric(
            "Gap closed",
            "Share of the mean absolute error of the source, against the target "
            "scanner's scan, beyond that of the target's own rescan that harmonizing "
            "takes away, all subjects together; 1 is a rescan.",
            "",
            "larger",
        ),
        "gap_closed_noisefree": Metric(
            "Gap closed, noise-free",
            "The same, with all errors against the noise-free image of the target "
            "scanner, which only a simulation has.",
            "",
            "larger",
        ),
        "planted_residual": Metric(
            "Planted residual",
            "Mean of harmonized − true target over mean of what was planted, in the "
            "planted region; 0 is gone.",
            "",
            "toward 0",
        ),
        "lesion_contrast_kept": Metric(
            "Lesion contrast kept",
            "Lesion − surround after over before, each in units of its own image's "
            "contrast of white and grey matter; 1 is all of it.",
            "",
            "toward 1",
        ),
        "invented_foci": Metric(
            "Invented foci",
            "Number of connected blobs of at least 3 mm that differ from every ground "
            "truth.",
            "foci",
            "smaller",
        ),
        "person_kept": Metric(
            "Person kept",
            "Share of subjects whose harmonized scan is nearest to their own other "
            "scan.",
            "",
            "larger",
        ),
        "voxel_auc": Metric(
            "Voxel AUC",
            "How likely a truly changed voxel has more evidence of change than an "
            "unchanged one; 0.5 is chance.",
            "",
            "larger",
        ),
        "site_accuracy_linear": Metric(
            "Site accuracy, linear",
            "Balanced accuracy of a linear model of histogram, texture and place, "
            "trained anew, on unseen subjects.",
            "",
            "toward 0.5",
        ),
        "site_accuracy_network": Metric(
            "Site accuracy, network",
            "Balanced accuracy of a small 3-D network, trained anew, on unseen "
            "subjects.",
            "",
            "toward 0.5",
        ),
        "site_accuracy": Metric(
            "Site accuracy",
            "The higher balanced accuracy of a linear model and a 3-D network, both "
            "trained anew, on unseen subjects.",
            "",
            "toward 0.5",
        ),
        "lesions_safe": Metric(
            "Lesions safe",
            "Share of lesions of at least 3 mm that keep .90 to 1.10 of their "
            "contrast.",
            "",
            "larger",
        ),
        "lesions_safe_limited": Metric(
            "Lesions safe, limited",
            "The same in the limited mode.",
            "",
            "larger",
        ),
        "invented_foci_limited": Metric(
            "Invented foci, limited",
            "Number of invented foci in the limited mode.",
            "foci",
            "smaller",
        ),
        "psnr_limited": Metric(
            "PSNR, limited",
            "Peak signal-to-noise ratio of the result in the limited mode.",
            "dB",
            "larger",
        ),
        "planted_residual_limited": Metric(
            "Planted, limited",
            "Planted residual in the limited mode.",
            "",
            "toward 0",
        ),
        "lesion_like_mark_kept": Metric(
            "Lesion like the mark",
            "Contrast that is kept of a lesion which one subject has where the scanner "
            "shows everybody a mark, of the same size and brightness, for the contrast "
            "of white and grey matter; 1 is all of it.",
            "",
            "toward 1",
        ),
        "lesion_like_mark_kept_limited": Metric(
            "Like the mark, limited",
            "The same in the limited mode.",
            "",
            "toward 1",
        ),
        "good_refused": Metric(
            "Good refused",
            "Share of good results that the guard refuses.",
            "",
            "smaller",
        ),
        "good_looked_at": Metric(
            "Good to look at",
            "Share of good results of which the guard says look.",
            "",
            "smaller",
        ),
        "faults_caught": Metric(
            "Faults caught",
            "Share of broken results that do not pass the guard, all ways of breaking "
            "alike.",
            "",
            "larger",
        ),
        **{
            f"caught_{name}": Metric(
                f"Caught: {words}",
                "Share of results with this fault that do not pass the guard: "
                f"{words}.",
                "",
                "larger",
            )
            for name, words in {
                "lesion_deleted": "a lesion deleted",
                "lesion_added": "a lesion added",
                "lesion_moved": "a lesion moved",
                "blur": "blur",
                "flip": "left, right",
                "other_sequence": "another sequence",
                "half_scaled": "half scaled",
                "slice_lost": "a slice lost",
                "checkerboard": "a checkerboard",
                "misplaced": "moved",
            }.items()
        },
        **{
            f"{metric}_ill_{share:03d}{mode}": Metric(
                f"{name}, {share} % ill{words}",
                f"{what} if {share} % of one training group have lesions"
                f"{words and ', in the limited mode'}.",
                unit,
                better,
            )
            for metric, name, what, unit, better in _OF_LESIONS
            for share in ILL_PERCENT
            for mode, words in (("", ""), ("_limited", ", limited"))
        },
    }
)
"""By the name of the function that computes it; some of them have two entries."""
