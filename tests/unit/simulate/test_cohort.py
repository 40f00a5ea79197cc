import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mitame.core.errors import InputError, OutputError
from mitame.evaluate.cohort import find_cohort
from mitame.io import nifti
from mitame.io.scan import find_scans
from mitame.simulate import cohort as module
from mitame.simulate.catalog import scanner_named
from mitame.simulate.cohort import simulate
from mitame.simulate.study import Study

AVANTO, PRISMA = scanner_named("avanto"), scanner_named("prisma")
STUDY = Study(
    "builtin", 2, (AVANTO, PRISMA), ("T1w", "FLAIR"), 4.0, 5, ("occipital", "lesions")
)


@pytest.fixture(autouse=True)
def coarse(monkeypatch, coarse_head):
    monkeypatch.setattr(module, "builtin_anatomy", lambda: coarse_head)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, coarse_head):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "builtin_anatomy", lambda: coarse_head)
        folder = tmp_path_factory.mktemp("simulated") / "study"
        assert list(simulate(STUDY, folder)) == ["001", "002"]
    return folder


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file()
    }


def truth(dataset, name):
    return dataset / "derivatives" / "truth" / "sub-001" / name


def test_everyone_is_on_every_scanner(dataset):
    found = sorted(dataset.glob("sub-*/ses-*/anat/*.nii.gz"))
    names = [path.name for path in found]
    assert names == [
        f"sub-{subject}_ses-{scanner}_{suffix}.nii.gz"
        for subject in ("001", "002")
        for scanner in ("avanto", "prisma")
        for suffix in ("FLAIR", "T1w")
    ]


def test_a_scan_names_its_scanner_and_protocol(dataset):
    (scan,) = find_scans(
        str(dataset / "sub-001/ses-prisma/anat/sub-001_ses-prisma_FLAIR.nii.gz")
    )
    assert scan.scanner == PRISMA.scanner
    runs = PRISMA.acquisitions["FLAIR"]
    assert (scan.protocol.te, scan.protocol.tr, scan.protocol.ti) == (
        runs.te,
        runs.tr,
        runs.ti,
    )


def test_images_of_one_subject_share_one_grid(dataset):
    volumes = [nifti.read(p) for p in dataset.rglob("sub-001*.nii.gz")]
    for volume in volumes:
        volume.require_same_grid(volumes[0])


def test_a_rescan_differs_by_noise_alone(dataset):
    scan = nifti.read(dataset / "sub-001/ses-avanto/anat/sub-001_ses-avanto_T1w.nii.gz")
    again, quiet = (
        nifti.read(
            truth(dataset, f"ses-avanto/anat/sub-001_ses-avanto_desc-{desc}_T1w.nii.gz")
        )
        for desc in ("rescan", "noisefree")
    )
    brain = nifti.read(truth(dataset, "anat/sub-001_desc-brain_mask.nii.gz")).data > 0
    sigma = AVANTO.scale / AVANTO.acquisitions["T1w"].snr
    assert np.std((scan.data - quiet.data)[brain]) == pytest.approx(sigma, rel=0.2)
    assert not np.array_equal(scan.data, again.data)


def test_the_mark_is_on_the_last_scanner_alone(dataset):
    planted = [p.name for p in truth(dataset, ".").rglob("*planted*.nii.gz")]
    assert sorted(planted) == [
        "sub-001_ses-prisma_desc-planted_FLAIR.nii.gz",
        "sub-001_ses-prisma_desc-planted_T1w.nii.gz",
    ]
    mark = nifti.read(truth(dataset, f"ses-prisma/anat/{planted[0]}")).data
    back = np.argwhere(mark > 0.5 * mark.max())[:, 1]
    assert mark.max() > 0.1 * PRISMA.scale
    assert back.max() < mark.shape[1] / 2


def test_lesions_are_told_with_place_and_size(dataset):
    table = (
        truth(dataset, "anat/sub-001_desc-lesions_dseg.tsv").read_text().splitlines()
    )
    labels = nifti.read(truth(dataset, "anat/sub-001_desc-lesions_dseg.nii.gz")).data
    assert table[0].split("\t")[:3] == ["index", "name", "kind"]
    assert len(table) == 7
    assert set(np.unique(labels)) <= set(range(7))


def test_one_seed_is_one_dataset(dataset, tmp_path):
    list(simulate(STUDY, tmp_path / "again"))
    assert files(tmp_path / "again") == files(dataset)


def test_another_seed_is_other_people(dataset, tmp_path):
    other = replace(STUDY, seed=6, n_subjects=1, sequences=("T1w",), plants=())
    list(simulate(other, tmp_path / "other"))
    name = "sub-001/ses-avanto/anat/sub-001_ses-avanto_T1w.nii.gz"
    assert (tmp_path / "other" / name).read_bytes() != (dataset / name).read_bytes()


def test_an_interrupted_run_goes_on_where_it_stopped(dataset, tmp_path):
    out = tmp_path / "cut"
    run = simulate(STUDY, out)
    next(run)
    run.close()
    before = files(out / "sub-001")
    assert list(simulate(STUDY, out)) == ["002"]
    assert files(out / "sub-001") == before
    assert files(out) == files(dataset)


def test_a_subject_killed_between_truth_and_scans_is_made_again(dataset, tmp_path):
    out = tmp_path / "killed"
    run = simulate(replace(STUDY), out)
    next(run)
    run.close()
    half = out / "derivatives" / "truth" / "sub-002"
    half.mkdir()
    (half / "rest").write_text("half")
    assert list(simulate(STUDY, out)) == ["002"]
    assert files(out) == files(dataset)


def test_other_settings_do_not_mix_with_a_dataset(dataset):
    before = files(dataset)
    with pytest.raises(OutputError, match="other settings") as error:
        list(simulate(replace(STUDY, seed=9), dataset))
    assert "--force" in error.value.fix
    assert files(dataset) == before


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"n_subjects": 0}, "0 subjects"),
        ({"spacing": 0.1}, "0.1 mm"),
        ({"sequences": ("PDw",)}, "no PDw"),
    ],
)
def test_a_study_that_cannot_be_is_refused(changes, what):
    with pytest.raises(InputError, match=what):
        replace(STUDY, **changes)


def test_settings_are_told(dataset):
    description = dataset / "derivatives" / "truth" / "dataset_description.json"
    told = json.loads(description.read_bytes())["Simulation"]
    assert told == STUDY.settings()
    assert [s["name"] for s in told["scanners"]] == ["avanto", "prisma"]


@pytest.fixture(scope="module")
def aged(tmp_path_factory, coarse_head):
    """The first person of the study, on two dates."""
    plants = (*STUDY.plants, "atrophy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "builtin_anatomy", lambda: coarse_head)
        folder = tmp_path_factory.mktemp("simulated") / "aged"
        list(simulate(replace(STUDY, n_subjects=1, plants=plants), folder))
    return folder


def test_the_first_date_is_the_same_with_and_without_a_second(dataset, aged):
    for path in aged.glob("sub-001/ses-*/anat/*.nii.gz"):
        if "later" not in path.name:
            assert path.read_bytes() == (dataset / path.relative_to(aged)).read_bytes()


def test_everyone_comes_to_every_scanner_again(aged):
    found = sorted(path.name for path in aged.glob("sub-*/ses-*later/anat/*.nii.gz"))
    assert found == [
        f"sub-001_ses-{scanner}later_{suffix}.nii.gz"
        for scanner in ("avanto", "prisma")
        for suffix in ("FLAIR", "T1w")
    ]
    for desc in ("rescan", "noisefree"):
        assert len(list(aged.rglob(f"*later_desc-{desc}_*.nii.gz"))) == 4


def test_a_second_date_has_noise_of_its_own(aged):
    first, later = (
        nifti.read(aged / f"sub-001/ses-{ses}/anat/sub-001_ses-{ses}_T1w.nii.gz").data
        for ses in ("avanto", "avantolater")
    )
    quiet, later_quiet = (
        nifti.read(
            truth(aged, f"ses-{ses}/anat/sub-001_ses-{ses}_desc-noisefree_T1w.nii.gz")
        ).data
        for ses in ("avanto", "avantolater")
    )
    brain = nifti.read(truth(aged, "anat/sub-001_desc-brain_mask.nii.gz")).data > 0
    one, other = (first - quiet)[brain], (later - later_quiet)[brain]
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_what_was_lost_is_where_the_images_differ(aged):
    share = nifti.read(truth(aged, "anat/sub-001_desc-atrophy_probseg.nii.gz")).data
    first, later = (
        nifti.read(
            truth(aged, f"ses-{ses}/anat/sub-001_ses-{ses}_desc-noisefree_T1w.nii.gz")
        ).data
        for ses in ("avanto", "avantolater")
    )
    change = later - first
    assert share.sum() > 0
    gone = share > 0.5 * share.max()
    assert gone.sum() > 5
    assert change[gone].mean() < 0  # brain is brighter than fluid on T1w
    assert np.abs(change[gone]).mean() > 3 * np.abs(change[share == 0]).mean()


def test_volumes_of_both_dates_are_told(aged):
    path = truth(aged, "anat/sub-001_desc-labelslater_dseg.tsv")
    head, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert head == ["index", "name", "before_ml", "after_ml", "change_percent"]
    assert {row[1] for row in rows} >= {"left cortex", "right cortex"}
    for _, _, before, after, change in rows:
        expected = 100 * (float(after) / float(before) - 1)
        assert float(change) == pytest.approx(expected, abs=0.02)


def test_a_second_date_is_no_scanner_of_a_cohort(aged):
    assert find_cohort(aged).scanners == ("avanto", "prisma")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dataset", "aged"])
def test_the_bids_validator_finds_no_error(name, request):
    dataset = request.getfixturevalue(name)
    found = subprocess.run(
        [
            Path(sys.executable).with_name("bids-validator-deno"),
            "--recursive", "--ignoreWarnings", "--format", "json", dataset,
        ],
        capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    told = json.loads(found.stdout)
    parts = {"raw": told, **told["derivativesSummary"]}
    assert len(parts) == 2
    for part in parts.values():
        assert part["issues"]["issues"] == []
