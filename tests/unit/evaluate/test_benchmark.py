import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.evaluate import benchmark as module
from mitame.evaluate import case as case_module
from mitame.evaluate import cell as cell_module
from mitame.evaluate import cohort as cohort_module
from mitame.evaluate.benchmark import CEILING, Plan, count_steps, run_benchmark
from mitame.evaluate.cohort import Prepared, find_cohort
from mitame.evaluate.site import SiteAccuracy
from mitame.io import bids, nifti
from mitame.prepare.pipeline import keep
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
NAMES = ("01", "02", "03", "04", "05")
PLAN = Plan(("identity", "histogram"), test=2, seed=3, sites=False)


def look(data, scanner):
    """What a scanner makes of a phantom: B is softer, and brighter at the back."""
    if scanner == "A":
        return data
    return np.sign(data) * np.abs(data) ** 0.8


def back(session):
    region = session.require_brain().copy()
    region[:, region.shape[1] // 3 :] = False
    return region


def write(folder, subject, scanner, desc, data):
    place = folder if desc == "scan" else folder / "derivatives" / "truth"
    place = place / f"sub-{subject}" / f"ses-{scanner}" / "anat"
    place.mkdir(parents=True, exist_ok=True)
    middle = "" if desc == "scan" else f"_desc-{desc}"
    name = f"sub-{subject}_ses-{scanner}{middle}_T1w.nii.gz"
    nifti.write(place / name, Volume(data.astype(np.float32), GRID.affine))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("travelers")
    bids.write_raw_description(folder, name="Phantoms", readme="Phantoms.")
    for number, subject in enumerate(NAMES):
        clean = phantom_session(GRID, gain=1 / 800 * (1 + 0.02 * number))
        for scanner in ("A", "B"):
            quiet = look(clean["T1w"].data, scanner)
            mark = 0.3 * quiet * back(clean) if scanner == "B" else 0 * quiet
            rng = np.random.default_rng([number, ord(scanner)])
            noisy = [quiet + mark + rng.normal(0, 0.02, quiet.shape) for _ in range(2)]
            write(folder, subject, scanner, "scan", noisy[0])
            write(folder, subject, scanner, "rescan", noisy[1])
            write(folder, subject, scanner, "noisefree", quiet + mark)
            if scanner == "B":
                write(folder, subject, scanner, "planted", mark)
    return folder


class Ready:
    """A preparation that knows the phantom."""

    calls = 0

    def apply(self, session):
        Ready.calls += 1
        known = phantom_session(GRID)
        step = Step("scale", {"gain": 1.0})
        volumes = {s: v.with_data(v.data, step) for s, v in session.items()}
        return replace(known, volumes=volumes, subject=session.subject), keep


@pytest.fixture(autouse=True)
def ready(monkeypatch):
    monkeypatch.setattr(cohort_module, "default_preparation", Ready)


@pytest.fixture(scope="module")
def rows(dataset, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cohort_module, "default_preparation", Ready)
        out = tmp_path_factory.mktemp("results")
        return run_benchmark(find_cohort(dataset), PLAN, out)


def value(rows, engine, source, target, metric):
    (row,) = (
        r
        for r in rows
        if (r.engine, r.source, r.target, r.metric) == (engine, source, target, metric)
    )
    return row.value


def test_the_cohort_is_everyone_on_every_scanner(dataset):
    found = find_cohort(dataset)
    assert found.subjects == NAMES
    assert found.scanners == ("A", "B")
    assert found.sequences == ("T1w",)
    assert found.has_rescans


def test_a_subject_who_missed_a_scanner_is_left_out(dataset, tmp_path):
    write(tmp_path, "01", "A", "scan", np.ones((3, 3, 3)))
    for scanner in ("A", "B"):
        write(tmp_path, "02", scanner, "scan", np.ones((3, 3, 3)))
    assert find_cohort(tmp_path).subjects == ("02",)


def test_a_folder_without_travelers_is_refused(tmp_path):
    with pytest.raises(InputError, match="0 scanners") as error:
        find_cohort(tmp_path)
    assert "simulate" in error.value.fix


def test_what_is_prepared_once_is_read_back(dataset, tmp_path):
    images = Prepared(find_cohort(dataset), tmp_path)
    first = images.session("01", "A")
    before = Ready.calls
    again = images.session("01", "A")
    assert Ready.calls == before
    assert np.array_equal(again["T1w"].data, first["T1w"].data)
    assert np.array_equal(again.brain, first.brain)
    assert again.brain.dtype == bool
    assert again.subject == "01"


def test_every_engine_is_scored_in_both_directions(rows):
    found = {(r.engine, r.source, r.target) for r in rows}
    assert found == {
        (engine, *way)
        for engine in (CEILING, "identity", "histogram")
        for way in (("A", "B"), ("B", "A"))
    }
    assert {r.n_subjects for r in rows if r.metric == "psnr"} == {2}
    assert all(r.low <= r.value <= r.high for r in rows if r.sequence != "all")


def test_doing_nothing_closes_no_gap_and_the_ceiling_closes_it(rows):
    for way in (("A", "B"), ("B", "A")):
        assert value(rows, "identity", *way, "gap_closed") == pytest.approx(0)
        assert value(rows, CEILING, *way, "gap_closed") == pytest.approx(1)
        assert 0.1 < value(rows, "histogram", *way, "gap_closed") < 1
        assert value(rows, CEILING, *way, "gap_closed_noisefree") == pytest.approx(1)


def test_a_gap_is_of_mean_absolute_errors(dataset, rows):
    maes = [value(rows, e, "A", "B", "mae") for e in ("identity", "histogram", CEILING)]
    before, after, least = maes
    expected = (before - after) / (before - least)
    assert value(rows, "histogram", "A", "B", "gap_closed") == pytest.approx(expected)


def test_a_source_as_near_as_the_rescan_has_no_gap(dataset, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(dataset, other)
    people = find_cohort(other)
    for subject in NAMES:  # scanner A shows now what B shows
        shutil.copy(
            people.file(subject, "B", "T1w", "rescan"), people.file(subject, "A", "T1w")
        )
    rows = run_benchmark(find_cohort(other), PLAN, tmp_path / "out")
    found = {r.metric for r in rows if (r.source, r.target) == ("A", "B")}
    assert "mae" in found
    assert not {"gap_closed", "gap_closed_noisefree"} & found


def test_what_is_left_of_lesions_is_measured_where_there_are_some(
    dataset, rows, tmp_path, monkeypatch
):
    assert not [r for r in rows if r.metric == "lesion_contrast_kept"]
    other = tmp_path / "other"
    shutil.copytree(dataset, other)
    grid = Volume(np.zeros(GRID.shape, np.float32), GRID.affine)
    for subject in NAMES:
        anatomy = other / "derivatives" / "truth" / f"sub-{subject}" / "anat"
        anatomy.mkdir()
        for desc, label in (("labels", 2), ("lesions", 1)):
            name = f"sub-{subject}_desc-{desc}_dseg.nii.gz"
            there = label * (np.indices(GRID.shape)[0] > 0)
            nifti.write_labels(anatomy / name, there, grid)

    def kept(
        *, before, after, quiet, lesions, white, grey, brain, spacing, smallest_mm
    ):
        assert (lesions[1:] == 1).all()
        assert (white[1:] == brain[1:]).all()
        assert not grey.any()
        assert spacing == pytest.approx((8, 8, 8))
        assert smallest_mm == 0
        assert 0.01 < np.std((before - quiet)[brain]) < 0.03  # noise, and no more
        return [np.abs(after - before).max(), 1.0]

    monkeypatch.setattr(case_module, "kept_of_lesions", kept)
    rows = run_benchmark(find_cohort(other), PLAN, tmp_path / "out")
    assert value(rows, "identity", "A", "B", "lesion_contrast_kept") == 0.5
    assert value(rows, "histogram", "A", "B", "lesion_contrast_kept") > 0.5


def test_a_mark_that_nobody_took_away_is_all_there(rows):
    # Identity leaves the mark and the softer look; the look alone is not the mark.
    left = value(rows, "identity", "B", "A", "planted_residual")
    assert left > 0.8
    assert not [r for r in rows if r.metric == "planted_residual" and r.source == "A"]
    gone = value(rows, CEILING, "B", "A", "planted_residual")
    assert gone == pytest.approx(0, abs=0.05)


def test_a_result_is_nearest_to_its_own_person(dataset, rows):
    people = [r for r in rows if r.metric == "person_kept"]
    assert {r.engine for r in people} == {CEILING, "identity", "histogram"}
    assert {r.value for r in people if r.engine == CEILING} == {1.0}
    assert all(r.sequence == "all" and r.n_subjects == 2 for r in people)


def test_a_second_run_makes_nothing_again(dataset, tmp_path, monkeypatch):
    people = find_cohort(dataset)
    first = run_benchmark(people, PLAN, tmp_path)

    def fail(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(module, "score", fail)
    assert str(run_benchmark(people, PLAN, tmp_path)) == str(first)


def test_another_plan_is_scored_anew(dataset, tmp_path):
    people = find_cohort(dataset)
    run_benchmark(people, PLAN, tmp_path)
    other = run_benchmark(people, replace(PLAN, seed=4), tmp_path)
    (kept,) = (tmp_path / "cells").rglob("identity_A_B.json")
    kept = json.loads(kept.read_bytes())
    assert kept["plan"]["seed"] == 4
    assert len(other) > 0


def test_classifiers_see_training_subjects_first_and_others_after(
    dataset, tmp_path, monkeypatch
):
    asked = []

    def told(train, test, *, seed):
        asked.append((train, test))
        return SiteAccuracy(0.6, 0.7)

    monkeypatch.setattr(cell_module, "site_accuracy", told)
    plan = replace(PLAN, engines=("identity",), sites=True)
    rows = run_benchmark(find_cohort(dataset), plan, tmp_path)
    assert value(rows, "identity", "A", "B", "site_accuracy") == 0.7
    for train, test in asked:
        seen, unseen = ({s.subject for g in part for s in g} for part in (train, test))
        assert len(seen) == 3
        assert len(unseen) == 2
        assert not seen & unseen


def test_unpaired_subjects_train_one_scanner_each(dataset, tmp_path, monkeypatch):
    ways = []
    monkeypatch.setattr(
        module, "score", lambda *given, **_: ways.append(given[1]) or []
    )
    plan = replace(PLAN, engines=("identity",), test=1, unpaired=True)
    run_benchmark(find_cohort(dataset), plan, tmp_path)
    there, back = {(way.source, way.target): way for way in ways}.values()
    assert (there.source, back.source) == ("A", "B")
    assert there.train_source == back.train_target
    assert there.train_target == back.train_source
    assert not set(there.train_source) & set(there.train_target)
    assert {*there.train_source, *there.train_target, *there.test} == set(NAMES)
    assert len(there.train_source) == len(there.train_target) == 2


def test_a_mark_is_measured_against_the_scan_where_no_noise_free_image_is(
    dataset, rows, tmp_path
):
    other = tmp_path / "other"
    shutil.copytree(dataset, other)
    truth = other / "derivatives" / "truth"
    for path in [*truth.rglob("*rescan*"), *truth.rglob("*noisefree*")]:
        path.unlink()
    people = find_cohort(other)
    assert not people.has_rescans
    found = run_benchmark(people, PLAN, tmp_path / "out")
    assert not [r for r in found if r.engine == CEILING or "noisefree" in r.metric]
    left = value(found, "identity", "B", "A", "planted_residual")
    there = value(rows, "identity", "B", "A", "planted_residual")
    assert left == pytest.approx(there, abs=0.05)


def test_steps_are_counted(dataset, tmp_path):
    told = []
    people = find_cohort(dataset)
    run_benchmark(people, PLAN, tmp_path, progress=told.append)
    assert len(told) == count_steps(people, PLAN)


class Uneven(Ready):
    """A preparation that finds another field in every image."""

    def apply(self, session):
        ready, back = super().apply(session)
        image = ready["T1w"]
        field = np.linspace(1, 1 + image.data.std(), image.data.size)
        field = field.reshape(image.data.shape).astype(np.float32)
        step = Step("scale", {"gain": 1.0})
        return ready.with_volumes(
            {"T1w": image.with_data(image.data / field, step)}
        ), back


def test_the_truth_without_noise_has_the_field_of_its_scan(
    dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(cohort_module, "default_preparation", Uneven)
    cohort = find_cohort(dataset)
    images = Prepared(cohort, tmp_path)
    scan, quiet = (images.session("01", "B", kind) for kind in ("scan", "noisefree"))
    stored = [cohort.native("01", "B", kind) for kind in ("scan", "noisefree")]
    expected = stored[1]["T1w"].data * scan["T1w"].data / stored[0]["T1w"].data
    assert np.allclose(quiet["T1w"].data, expected, rtol=1e-5)
    assert np.array_equal(quiet.brain, scan.brain)


def test_a_misspelt_engine_is_told_before_anything_is_prepared(dataset, tmp_path):
    before = Ready.calls
    with pytest.raises(InputError, match="histogrm"):
        run_benchmark(
            find_cohort(dataset), replace(PLAN, engines=("histogrm",)), tmp_path
        )
    assert Ready.calls == before


def test_an_engine_of_pairs_cannot_be_unpaired(dataset, tmp_path):
    plan = replace(PLAN, engines=("dictionary",), test=1, unpaired=True)
    with pytest.raises(InputError, match="learns from pairs"):
        run_benchmark(find_cohort(dataset), plan, tmp_path)


def test_a_session_of_the_cohort_is_native(dataset):
    native = find_cohort(dataset).native("01", "B", "noisefree")
    assert isinstance(native, Session)
    assert native.brain is None


def test_other_scans_of_the_same_names_are_another_cohort(dataset, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(dataset, other)
    assert find_cohort(other).digest() == find_cohort(dataset).digest()
    path = find_cohort(other).file("01", "A", "T1w")
    data = nifti.read(path).data
    path.unlink()
    write(other, "01", "A", "scan", data + 1)
    assert find_cohort(other).digest() != find_cohort(dataset).digest()
