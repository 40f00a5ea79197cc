from datetime import date

import pytest

from mitame.compare import visits
from mitame.compare.prepared import Prepared
from mitame.compare.visits import compare
from mitame.core.errors import ImplausibleError, InputError
from mitame.core.session import Session
from mitame.io.scan import Visit
from mitame.prepare.pipeline import keep
from mitame.testing.phantom import phantom


def visit(subject="01", day=1, suffixes=("T1w", "FLAIR")):
    volumes = {suffix: phantom(suffix=suffix) for suffix in suffixes}
    return Visit(volumes=volumes, scans={}, subject=subject, date=date(2024, 5, day))


@pytest.fixture
def unprepared(monkeypatch):
    """Take every scan as it is."""

    def ready(name, visit, suffixes, *, progress):
        volumes = {suffix: visit.volumes[suffix] for suffix in suffixes}
        return {s: Prepared(v, Session({s: v}), keep) for s, v in volumes.items()}

    monkeypatch.setattr(visits, "prepare_visit", ready)


@pytest.fixture
def asked(unprepared, monkeypatch):
    """Record what is compared, and compare nothing."""
    calls = []

    def note(suffix, prior, current, *, progress):
        calls.append((suffix, prior, current))
        progress("visits aligned")
        return suffix

    monkeypatch.setattr(visits, "compare_pair", note)
    return calls


def test_two_subjects_are_refused(asked):
    with pytest.raises(InputError, match=r"01.*02") as error:
        compare(visit("01"), visit("02"))
    assert "one subject" in error.value.fix
    assert asked == []


@pytest.mark.parametrize("names", [("01", None), (None, "01"), (None, None)])
def test_a_visit_without_a_name_is_taken_for_the_same_subject(asked, names):
    compare(*(visit(name) for name in names))
    assert len(asked) == 2


def test_visits_without_a_common_sequence_are_refused(asked):
    with pytest.raises(InputError, match="no sequence is in both") as error:
        compare(visit(suffixes=("T1w",)), visit(suffixes=("FLAIR", "T2w")))
    for suffix in ("T1w", "FLAIR", "T2w"):
        assert suffix in error.value.what
    assert asked == []


def test_what_both_have_is_compared_prior_first(asked):
    prior = visit(day=1, suffixes=("T1w", "FLAIR", "PDw"))
    current = visit(day=2, suffixes=("FLAIR", "T2w", "T1w"))
    told = []
    found = compare(prior, current, progress=told.append)
    assert list(found.sequences) == ["FLAIR", "T1w"]
    assert list(found.sequences.values()) == ["FLAIR", "T1w"]
    for suffix, before, now in asked:
        assert before.native is prior.volumes[suffix]
        assert now.native is current.volumes[suffix]
    assert (found.prior_date.day, found.current_date.day) == (1, 2)
    assert sorted(told) == ["FLAIR: visits aligned", "T1w: visits aligned"]


def test_one_sequence_that_cannot_be_laid_over_stops_the_comparison(
    unprepared, monkeypatch
):
    def fail(*_, progress):
        raise ImplausibleError("Not one head.", fix="Check the patient.")

    monkeypatch.setattr(visits, "compare_pair", fail)
    with pytest.raises(ImplausibleError, match="Not one head"):
        compare(visit(), visit())


def test_a_scan_that_cannot_be_prepared_stops_the_comparison(asked, monkeypatch):
    def fail(name, *_, progress):
        raise ImplausibleError(f"The {name}: no brain.", fix="Look at it.")

    monkeypatch.setattr(visits, "prepare_visit", fail)
    with pytest.raises(ImplausibleError, match=r"The (prior|current scan): no brain"):
        compare(visit(), visit())
    assert asked == []
