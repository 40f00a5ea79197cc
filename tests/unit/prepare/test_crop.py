from dataclasses import replace

import numpy as np

from mitame.prepare.crop import MARGIN_MM, crop_to_brain
from mitame.prepare.resample import resample
from mitame.testing.phantom import head_grid, phantom_session


def test_every_voxel_stays_in_its_place():
    session = phantom_session()
    near = crop_to_brain(session)
    assert near.reference.data.size < session.reference.data.size
    again = resample(near["T1w"], session["T1w"], interpolator="nearest").data
    inside = again != 0
    assert np.array_equal(again[inside], session["T1w"].data[inside])
    assert near.brain.sum() == session.brain.sum()
    assert np.array_equal(near.to_template, session.to_template)


def test_the_margin_is_kept_around_the_brain():
    near = crop_to_brain(phantom_session(head_grid(3.0)))
    where = np.argwhere(near.brain)
    room = np.minimum(where.min(axis=0), np.array(near.brain.shape) - 1 - where.max(0))
    assert (room * 3.0 >= MARGIN_MM).all()


def test_a_brain_at_the_edge_of_the_grid_keeps_what_there_is():
    session = phantom_session()
    whole = replace(session, brain=np.ones(session.reference.shape, bool))
    assert crop_to_brain(whole).reference.shape == session.reference.shape


def test_the_crop_is_in_the_history():
    near = crop_to_brain(phantom_session())
    step = near["T1w"].history[-1]
    assert step.name == "crop"
    extent = np.subtract(step.params["last"], step.params["first"])
    assert tuple(extent) == near.reference.shape
