from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.scanner import Scanner
from mitame.core.session import SUFFIXES, Session
from mitame.core.volume import Step, Volume


def volume(value=1.0, shape=(2, 3, 4)):
    return Volume(np.full(shape, value), np.eye(4))


def session(**change):
    given = {
        "volumes": {"FLAIR": volume(1), "T1w": volume(2)},
        "subject": "01",
        "date": date(2024, 5, 1),
        "brain": np.ones((2, 3, 4), bool),
        "to_template": np.eye(4),
    }
    return Session(**(given | change))


def test_a_session_is_a_mapping_in_the_order_it_was_given():
    visit = session()
    assert list(visit) == ["FLAIR", "T1w"]
    assert len(visit) == 2
    assert "T2w" not in visit
    assert visit["T1w"].data[0, 0, 0] == 2
    assert visit.reference is visit["FLAIR"]


def test_the_mapping_that_was_given_stays_the_callers():
    given = {"T1w": volume()}
    visit = Session(given)
    given["T2w"] = volume()
    assert list(visit) == ["T1w"]


def test_new_volumes_keep_who_and_when_and_where():
    visit = session()
    new = visit.with_volumes({"T1w": volume(5)})
    assert list(new) == ["T1w"]
    assert (new.subject, new.date) == ("01", date(2024, 5, 1))
    assert new.brain is visit.brain
    assert new.to_template is visit.to_template


def test_new_intensities_write_one_step_into_each_history():
    visit = session()
    new = visit.with_data({s: 3 * visit[s].data for s in visit}, Step("triple"))
    assert [new[s].data[0, 0, 0] for s in new] == [3, 6]
    assert all(volume.history == (Step("triple"),) for volume in new.values())
    assert all(volume.history == () for volume in visit.values())


def test_a_session_without_a_volume_is_refused():
    with pytest.raises(InputError, match="without a volume"):
        Session({})


def test_an_unknown_sequence_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="T1rho") as error:
        Session({"T1rho": volume()})
    assert all(suffix in error.value.fix for suffix in SUFFIXES)


def test_volumes_on_two_grids_are_refused():
    with pytest.raises(GridMismatchError):
        Session({"T1w": volume(), "T2w": volume(shape=(2, 3, 5))})


def test_a_brain_mask_from_another_grid_is_refused():
    with pytest.raises(GridMismatchError, match="brain mask"):
        session(brain=np.ones((2, 3, 5), bool))


def test_what_an_unprepared_session_lacks_is_said():
    bare = replace(session(), brain=None, to_template=None)
    for ask in (bare.require_brain, bare.require_template):
        with pytest.raises(InputError) as error:
            ask()
        assert "Apply `prepare." in error.value.fix
    assert session().require_brain().all()
    assert session().require_template()[0, 0] == 1


@pytest.mark.parametrize(
    ("scanner", "words"),
    [
        (Scanner("Siemens", "Avanto", "123", 1.5), "Siemens Avanto 1.5 T"),
        (Scanner("GE", field_strength=3.0), "GE 3 T"),
        (Scanner(serial="123"), "unnamed scanner"),
    ],
)
def test_a_scanner_in_words(scanner, words):
    assert str(scanner) == words


def test_two_machines_of_one_model_are_two_scanners():
    assert Scanner("A", "B", "1", 3.0) == Scanner("A", "B", "1", 3.0)
    assert Scanner("A", "B", "1", 3.0) != Scanner("A", "B", "2", 3.0)
