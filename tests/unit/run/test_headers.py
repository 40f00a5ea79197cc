"""What a header says of a stranger, and what is not said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mitame.core.scanner import Scanner
from mitame.io.scan import Protocol, Scan
from mitame.run.headers import odd_by_header, told_by_headers

AVANTO = Scanner("Siemens", "Avanto", "", 1.5)


def scan(age=40.0, agent=False, scanner=AVANTO):
    protocol = Protocol(age=age, contrast_agent=agent)
    return Scan(Path("x.nii.gz"), "nifti", True, "T1w", "01", None, None,
                scanner, protocol, (2, 2, 2), None)  # fmt: skip


@pytest.fixture
def group():
    told = told_by_headers([scan(age) for age in (30.0, 35.0, 40.0, 45.0, 50.0)])
    return json.loads(json.dumps(told))  # as it comes out of a model


def names(reasons):
    return [reason.name for reason in reasons]


def test_one_of_the_group_is_no_stranger(group):
    assert odd_by_header(scan(), group) == ()


@pytest.mark.parametrize("age", [1.0, 95.0])
def test_another_age_is_told_but_not_which(group, age):
    (reason,) = odd_by_header(scan(age), group)
    assert reason.name == "header: age"
    assert reason.grade == "look"
    assert f"{age:.0f} years" not in reason.sentence
    assert "known: " in reason.sentence


def test_another_scanner_is_told_with_those_that_are_known(group):
    other = Scanner("Siemens", "Prisma", "", 3.0)
    (reason,) = odd_by_header(scan(scanner=other), group)
    assert "Siemens Prisma 3 T; known: Siemens Avanto 1.5 T" in reason.sentence


def test_the_same_model_with_another_serial_number_is_known(group):
    assert odd_by_header(scan(scanner=replace(AVANTO, serial="7")), group) == ()


def test_a_contrast_agent_that_nobody_had_is_told(group):
    assert names(odd_by_header(scan(agent=True), group)) == ["header: contrast agent"]


def test_what_a_header_or_a_model_does_not_say_is_not_odd(group):
    silent = replace(scan(scanner=None), protocol=Protocol())
    assert odd_by_header(silent, group) == ()
    unknown = json.loads(json.dumps(told_by_headers([silent])))
    assert odd_by_header(scan(90.0, agent=True), unknown) == ()
    assert odd_by_header(scan(90.0, agent=True), {}) == ()


def test_ages_and_names_are_not_kept(group):
    assert set(group) == {"scanners", "age", "contrast_agent"}
    assert set(group["age"]) == {"low", "high"}
    assert group["age"]["low"] < 30
    assert group["age"]["high"] > 50
