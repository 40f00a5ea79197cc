"""The preparation on real scans; skipped where they are not."""

import nibabel
import numpy as np
import pytest

from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare.default import default_preparation

pytestmark = [pytest.mark.data, pytest.mark.slow]


def read(path):
    image = nibabel.load(path)
    return Volume(np.asarray(image.dataobj, dtype=np.float32), image.affine)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("label", ["IXI034-HH-1260"])
def test_a_healthy_brain_is_found(data_folder, label):
    folder = data_folder / "ixi-hh-3t"
    scan = Session({"T1w": read(folder / f"{label}_T1w.nii.gz")})
    prepared, undo = default_preparation(bias=False).apply(scan)
    back = undo(prepared)
    truth = read(folder / f"{label}_brainmask.nii.gz").data > 0
    assert dice(back.brain, truth) > 0.96
    back.reference.require_same_grid(scan.reference)


@pytest.mark.parametrize("suffix", ["FLAIR"])
def test_a_brain_stripped_beforehand_is_recognized(data_folder, suffix):
    volume = read(data_folder / "ms-cross" / "patient07" / f"{suffix}.nii.gz")
    prepared, undo = default_preparation(bias=False).apply(Session({suffix: volume}))
    assert dice(undo(prepared).brain, volume.data != 0) > 0.97


@pytest.mark.parametrize("suffix", ["T2w"])
def test_thick_slices_of_an_ms_patient_are_prepared(data_folder, suffix):
    name = {"T2w": "T2W", "FLAIR": "FLAIR"}[suffix]
    folder = data_folder / "ms-longitudinal" / "patient12"
    scan = Session({suffix: read(folder / f"study1_{name}.nii.gz")})
    prepared, _ = default_preparation(bias=False).apply(scan)
    history = {step.name: step.params for step in prepared[suffix].history}
    assert history["brain"]["volume_ml"] == pytest.approx(1510, rel=0.05)
    scales = np.linalg.svd(prepared.to_template[:3, :3], compute_uv=False)
    np.testing.assert_allclose(scales, [1.14, 1.11, 1.01], atol=0.05)
