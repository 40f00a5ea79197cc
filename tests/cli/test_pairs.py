"""People who were on both scanners: fit, look, apply, as a user does it."""

import json

import pytest

COHORT = (
    *("simulate", "cohort", "--anatomy", "builtin", "--subjects", 1),
    *("--scanners", "avanto,prisma", "--sequences", "T1w", "--resolution", 4),
)


def done(process):
    out, err = process.communicate(timeout=250)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.slow
def test_a_plain_dictionary_is_fitted_and_shown(start, tmp_path):
    done(start(*COHORT, "--json"))
    fit = ("fit", "--engine", "dictionary", "--variant", "plain", "--report")
    groups = ("--source", "cohort/sub-001/ses-avanto")
    groups += ("--target", "cohort/sub-001/ses-prisma")
    report = done(start(*fit, *groups, "-o", "model", "--json"))
    assert report["result"]["engine"] == "dictionary-plain"
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert "sub-001" not in page
    assert done(start("info", "model", "--json"))["result"]


def test_a_variant_that_is_not_there_is_told(start):
    place = ("--source", "a", "--target", "b", "-o", "model")
    process = start("fit", *place, "--engine", "bilateral", "--variant", "plain")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "'bilateral' has no variant 'plain'" in err
