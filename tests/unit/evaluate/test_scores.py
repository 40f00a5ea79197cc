from typing import get_args

import pytest

from mitame.evaluate import metrics, site
from mitame.evaluate.faults import FAULTS
from mitame.evaluate.scores import METRICS, Direction


def test_every_metric_is_listed_and_nothing_else():
    computed = {*metrics.__all__, site.site_accuracy.__name__}
    quiet = {f"{name}_noisefree" for name in ("psnr", "ssim", "gap_closed")}
    parts = {"site_accuracy_linear", "site_accuracy_network", *quiet}
    parts |= {"lesions_safe", "good_refused", "good_looked_at", "faults_caught"}
    parts |= {f"{name}_limited" for name in ("lesions_safe", "invented_foci", "psnr")}
    parts |= {"lesion_like_mark_kept", "lesion_like_mark_kept_limited"}
    parts.add("planted_residual_limited")
    parts |= {f"caught_{name}" for name in FAULTS}
    parts |= {
        f"{name}_ill_{percent:03d}{mode}"
        for name in ("lesions_safe", "invented_foci")
        for percent in (0, 25, 50, 75, 100)
        for mode in ("", "_limited")
    }
    yardstick = {"white_grey_contrast"}  # by itself neither good nor bad
    assert set(METRICS) == (computed | parts) - yardstick


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_is_told_in_one_sentence_with_its_direction(metric):
    assert metric.definition.endswith(".")
    assert metric.definition.count(". ") == 0
    assert metric.direction in get_args(Direction)
    assert 0 < len(metric.name) <= 24


def test_headings_differ():
    assert len({metric.name for metric in METRICS.values()}) == len(METRICS)


def test_the_list_cannot_be_changed():
    with pytest.raises(TypeError):
        METRICS["psnr"] = METRICS["mae"]
