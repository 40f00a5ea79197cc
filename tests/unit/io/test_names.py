from pathlib import Path

import pytest

from mitame.io import names


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("sub-01_ses-2_acq-T2_T1w.nii.gz", "T1w"),
        ("sub-01_T1W.nii.gz", "T1w"),
        ("sub-01_T1map.nii.gz", None),
        ("sub-01_T2star.nii.gz", None),
        ("sub-01_PDT2.nii.gz", None),
        ("sub-01_FLAIR.nii.gz", "FLAIR"),
        ("study1_T1W.nii.gz", "T1w"),
        ("T1.nii.gz", "T1w"),
        ("avanto_1p5T_T1c.nii.gz", "T1w"),
        ("studyforrest02_3T_T1.nii.gz", "T1w"),
        ("IXI013-HH-1212_T1w.nii.gz", "T1w"),
        ("M2307_T2.nii.gz", "T2w"),
        ("T1w_gadolinium.nii.gz", "T1w"),
        ("study2_FLAIR.nii.gz", "FLAIR"),
        ("flair_3D.nii", "FLAIR"),
        ("3DFLAIR.nii", "FLAIR"),
        ("mprage.nii.gz", "T1w"),
        ("Patient T2 TSE.nii.gz", "T2w"),
        ("T2_FLAIR.nii.gz", "FLAIR"),
        ("IXI013-PD.nii.gz", "PDw"),
        ("T1_in_T2_space.nii.gz", None),
        ("head_01.nii.gz", None),
        ("VS-SEG-001_T1.nii.gz", "T1w"),
        ("t2star.nii.gz", None),
    ],
)
def test_the_name_tells_the_sequence(name, suffix):
    found = names.parse(Path(name))
    assert found.suffix == suffix
    assert found.is_scan


@pytest.mark.parametrize(
    "name",
    [
        "brainmask.nii.gz",
        "gt.nii.gz",
        "lesions.nii.gz",
        "M2307_lesion.nii.gz",
        "IXI013-HH-1212_brainmask.nii.gz",
        "T1w_mask.nii.gz",
        "sub-01_desc-brain_mask.nii.gz",
        "sub-01_dseg.nii.gz",
        "T1_seg.nii.gz",
        "sub-01_part-phase_T1w.nii.gz",
        "sub-01_desc-edit_T1w.nii.gz",
        "sub-01_desc-change_T1w.nii.gz",
    ],
)
def test_masks_labels_and_difference_maps_are_no_scans(name):
    assert not names.parse(Path(name)).is_scan


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("T1w_gadolinium.nii.gz", True),
        ("avanto_1p5T_T1c.nii.gz", True),
        ("sub-01_ce-gadolinium_T1w.nii.gz", True),
        ("T1_postcontrast.nii", True),
        ("T1_pre_contrast.nii", False),
        ("T1w.nii.gz", None),
        ("sub-01_T1w.nii.gz", None),
        ("face_T1.nii.gz", None),
    ],
)
def test_the_name_tells_of_a_contrast_agent(name, given):
    assert names.parse(Path(name)).contrast_agent is given


def test_bids_entities_keep_their_order():
    found = names.parse(Path("sub-01_ses-pre_acq-mp2_run-1_T1w.nii.gz"))
    assert list(found.entities) == ["sub", "ses", "acq", "run"]
