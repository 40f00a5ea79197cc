import zlib
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Step, Volume
from mitame.evaluate.metrics import psnr
from mitame.io import nifti
from mitame.prepare.pipeline import keep
from mitame.run import evaluate as module
from mitame.run.evaluate import evaluate_pairs, pair_up, summary
from mitame.run.scans import collect
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
KNOWN = phantom_session(GRID)
WHITE = 800.0


class Ready:
    """A preparation that knows the phantom."""

    def apply(self, session):
        scaled = {
            s: v.with_data(v.data / np.float32(WHITE), Step("scale", {}))
            for s, v in session.items()
        }
        return replace(KNOWN, volumes=scaled, subject=session.subject), keep


@pytest.fixture(autouse=True)
def ready(monkeypatch):
    monkeypatch.setattr(module, "default_preparation", Ready)


def scan(folder, subject, what, scale=WHITE, offset=0.0, grid=GRID):
    """A phantom on disk, `offset` too bright everywhere, with noise of its own."""
    rng = np.random.default_rng([int(subject), zlib.crc32(what.encode())])
    data = phantom_session(grid)["T1w"].data / WHITE + offset
    data = scale * (data + rng.normal(0, 0.01, data.shape))
    path = folder / f"sub-{subject}_ses-{what}_T1w.nii.gz"
    nifti.write(path, Volume(data.astype(np.float32), grid.affine))
    return path


@pytest.fixture
def cohort(tmp_path):
    """Three subjects: harmonized halfway between source and target."""
    for subject in ("01", "02", "03"):
        scan(tmp_path, subject, "result", scale=1.0, offset=0.1)
        scan(tmp_path, subject, "target")
        scan(tmp_path, subject, "source", offset=0.2)
        scan(tmp_path, subject, "rescan")
    return tmp_path


def found(folder, what):
    return collect([str(folder / f"*{what}*")])


def scored(folder, *kinds, rescale=False):
    pairs = pair_up(*(found(folder, kind) for kind in kinds))
    return list(evaluate_pairs(pairs, rescale=rescale))


def test_scans_are_paired_by_subject_whatever_their_order(cohort):
    results, targets = found(cohort, "result"), found(cohort, "target")
    for pair in pair_up(results, targets[::-1]):
        assert pair.result.subject == pair.target.subject
        assert "target" in pair.target.path.name
        assert pair.source is None


def test_one_and_one_need_no_names(tmp_path):
    scan(tmp_path, "01", "result")
    scan(tmp_path, "02", "target")
    (pair,) = pair_up(found(tmp_path, "result"), found(tmp_path, "target"))
    assert pair.target.subject == "02"


def test_a_scan_without_a_partner_is_named(cohort):
    targets = [s for s in found(cohort, "target") if s.subject != "02"]
    with pytest.raises(InputError, match=r"sub-02_ses-result.* 0 target scans") as told:
        pair_up(found(cohort, "result"), targets)
    assert "BIDS" in told.value.fix


def test_two_partners_are_one_too_many(cohort):
    targets = [*found(cohort, "target"), *found(cohort, "rescan")]
    with pytest.raises(InputError, match="2 target scans"):
        pair_up(found(cohort, "result"), targets)


def test_scores_are_those_of_the_metrics_in_white_matter_medians(cohort):
    first = scored(cohort, "result", "target")[0]
    images = [
        nifti.read(cohort / f"sub-01_ses-{what}_T1w.nii.gz").data
        for what in ("result", "target")
    ]
    expected = psnr(images[0], images[1] / np.float32(WHITE), KNOWN.require_brain())
    assert first.values["psnr"] == pytest.approx(expected, abs=1e-3)
    assert set(first.values) == {"psnr", "ssim", "mae", "wasserstein"}
    assert first.values["mae"] == pytest.approx(0.1, abs=0.005)
    assert first.gap is None


def test_half_of_the_gap_is_closed(cohort):
    scores = scored(cohort, "result", "target", "source", "rescan")
    whole = summary(scores, seed=0)["T1w"]
    assert whole["gap_closed"].value == pytest.approx(0.53, abs=0.03)
    assert whole["gap_closed"].n_subjects == 3
    assert whole["psnr"].low <= whole["psnr"].value <= whole["psnr"].high


def test_sequences_are_not_mixed(cohort):
    for path in list(cohort.glob("*_T1w.nii.gz")):
        other = path.with_name(path.name.replace("_T1w", "_T2w"))
        data = nifti.read(path).data.copy()
        if "result" in path.name:
            data += np.float32(0.1)  # as bad as the source: no gap is closed
        nifti.write(other, Volume(data, GRID.affine))
    whole = summary(scored(cohort, "result", "target", "source", "rescan"), seed=0)
    assert whole["T1w"]["gap_closed"].value > 0.45
    assert whole["T2w"]["gap_closed"].value == pytest.approx(0, abs=0.05)
    assert whole["T2w"]["mae"].value > 1.5 * whole["T1w"]["mae"].value
    assert whole["T1w"]["mae"].n_subjects == 3


def test_no_gap_is_no_score(cohort):
    for subject in ("01", "02", "03"):
        path = cohort / f"sub-{subject}_ses-source_T1w.nii.gz"
        path.unlink()
        target = cohort / f"sub-{subject}_ses-target_T1w.nii.gz"
        path.write_bytes(target.read_bytes())
    whole = summary(scored(cohort, "result", "target", "source", "rescan"), seed=0)[
        "T1w"
    ]
    assert "gap_closed" not in whole


def test_a_result_in_other_units_is_refused_unless_it_is_to_be_rescaled(cohort):
    scan(cohort, "01", "raw", scale=500.0, offset=0.1)
    pairs = pair_up(found(cohort, "raw"), found(cohort, "01_ses-target"))
    with pytest.raises(InputError, match=r"sub-01_ses-raw.* is at 5\d\d") as told:
        list(evaluate_pairs(pairs, rescale=False))
    assert "--rescale" in told.value.fix
    (scores,) = evaluate_pairs(pairs, rescale=True)
    assert scores.values["mae"] < 0.1


def test_half_of_what_a_gap_needs_is_refused(cohort):
    results, targets = found(cohort, "result"), found(cohort, "target")
    for half in ({"sources": targets}, {"rescans": targets}):
        with pytest.raises(InputError, match="needs both"):
            pair_up(results, targets, **half)


def test_another_grid_is_refused_and_nothing_is_resampled(tmp_path):
    scan(tmp_path, "01", "result", scale=1.0, grid=head_grid(9.0))
    scan(tmp_path, "01", "target")
    with pytest.raises(GridMismatchError, match="not on one grid"):
        scored(tmp_path, "result", "target")
