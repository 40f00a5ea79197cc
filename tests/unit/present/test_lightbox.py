import numpy as np
import pytest

from mitame.core.volume import Step
from mitame.present.colors import gray_scale
from mitame.present.contours import Contour
from mitame.present.figures import draw
from mitame.present.lightbox import Lightbox
from mitame.present.native import draw_native, world_to_native

ORDERS = ["LPS", "RAS", "PSR"]


def pixels(image):
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "LAS"])
def test_the_key_slice_holds_the_largest_mark(sequence_of, axes):
    box = Lightbox.of(sequence_of(axes), height=200)
    height = box.view.world((0, 0, box.key_slice))[2]
    assert height == pytest.approx(6, abs=2.6)


def test_all_panels_of_a_slice_have_one_field_of_view(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    panels = ("prior", "harmonized", "current", "before", "after", "edit", "noise")
    sizes = {box.draw(panel, box.key_slice).size for panel in panels}
    sizes.add(draw_native(box, box.key_slice).picture.size)
    assert len(sizes) == 1


@pytest.mark.parametrize("oblique", [0.0, 12.0])
@pytest.mark.parametrize("axes", ["LPS", "RAS", "LAS"])
def test_the_lesion_on_the_right_shows_on_the_left_of_the_map(
    sequence_of, axes, oblique
):
    box = Lightbox.of(sequence_of(axes, oblique=oblique), height=200)
    after = pixels(box.draw("after", box.key_slice))
    hot = (after[..., 0] > 150) & (after[..., 2] < 200) & (np.ptp(after, axis=2) > 40)
    columns = np.nonzero(hot)[1]
    assert columns.size > 50
    assert np.median(columns) < 0.4 * after.shape[1]


def test_the_outline_lies_around_the_lesion(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    (contour,) = box.contours(box.key_slice, box.frame)
    after = pixels(box.draw("after", box.key_slice))
    rows, columns = np.nonzero((after[..., 0] > 180) & (np.ptp(after, axis=2) > 60))
    points = np.array(contour.lines[0])
    across, down = columns / after.shape[1], rows / after.shape[0]
    assert points[:, 0].min() == pytest.approx(np.quantile(across, 0.02), abs=0.03)
    assert points[:, 0].max() == pytest.approx(np.quantile(across, 0.98), abs=0.03)
    assert points[:, 1].min() == pytest.approx(np.quantile(down, 0.02), abs=0.03)
    assert points[:, 1].max() == pytest.approx(np.quantile(down, 0.98), abs=0.03)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "LAS"])
def test_a_mark_is_outlined_on_the_slices_its_voxels_reach(sequence_of, axes):
    box = Lightbox.of(sequence_of(axes), height=200)
    labels = box.view.arrange(box.sequence.mark_labels)
    reached = [n for n in range(box.view.shape[2]) if box.contours(n, box.frame)]
    assert reached == np.flatnonzero(labels.any(axis=(0, 1))).tolist()
    assert 2 <= len(reached) <= 4


def test_a_mark_is_looked_up_where_it_is_largest(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    row, column = box.mark_place(1)
    place = box.view.world((row, column, box.mark_slice(1)))
    np.testing.assert_allclose(place, (30, 12, 6), atol=2.6)


def test_only_harmonized_pictures_carry_the_badge(sequence_of):
    box = Lightbox.of(sequence_of(lesion=0), height=300)
    amber = {}
    for panel in ("prior", "harmonized", "current", "after"):
        picture = pixels(box.draw(panel, box.key_slice))
        near = np.abs(picture - [255, 209, 102]).max(axis=-1) < 12
        amber[panel] = int(near[:60, :140].sum())
    assert amber["harmonized"] > 100
    assert not amber["prior"] + amber["current"] + amber["after"]


def test_letters_are_burnt_into_all_four_sides():
    picture = pixels(draw(np.zeros((200, 160), np.float32), gray_scale(0, 1)))
    bright = picture.max(axis=2) > 200
    assert bright[90:110, :20].any()
    assert bright[90:110, -20:].any()
    assert bright[:20, 70:90].any()
    assert bright[-20:, 70:90].any()
    assert bright.sum() < 700


def test_the_letter_on_the_left_is_an_r():
    picture = pixels(draw(np.zeros((200, 160), np.float32), gray_scale(0, 1)))
    left = picture[85:115, :20].max(axis=2) > 128
    right = picture[85:115, -20:].max(axis=2) > 128
    left, right = (x[np.ix_(x.any(1), x.any(0))] for x in (left, right))
    # An R has ink in its upper right corner region, an L has none.
    assert left[: len(left) // 2, left.shape[1] // 2 :].any()
    assert not right[: len(right) // 2, right.shape[1] // 2 + 1 :].any()


def test_an_outline_is_drawn_where_it_belongs():
    square = ((0.2, 0.4), (0.3, 0.4), (0.3, 0.6), (0.2, 0.6), (0.2, 0.4))
    empty = np.zeros((200, 200), np.float32)
    drawn = pixels(draw(empty, gray_scale(0, 1), contours=[Contour(1, (square,))]))
    rows, columns = np.nonzero((drawn[..., 1] > 100) & (drawn[..., 2] < 80))
    assert (columns.min(), columns.max()) == pytest.approx((40, 60), abs=1)
    assert (rows.min(), rows.max()) == pytest.approx((80, 120), abs=1)
    assert not drawn[90:110, 45:55].any()


def test_the_number_stands_where_its_label_says():
    empty = np.zeros((200, 200), np.float32)
    marked = [Contour(7, (), (0.25, 0.3))]
    drawn = pixels(draw(empty, gray_scale(0, 1), contours=marked))
    rows, columns = np.nonzero((drawn[..., 1] > 150) & (drawn[..., 2] < 120))
    assert columns.mean() == pytest.approx(50, abs=2)
    assert rows.mean() == pytest.approx(60, abs=3)


def test_maps_are_black_outside_the_brain(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    before = pixels(box.draw("before", box.key_slice))
    assert before[:25, :25].max() == 0


def test_without_a_brain_the_whole_slice_is_shown(sequence_of):
    from dataclasses import replace

    sequence = sequence_of(lesion=0)
    nothing = replace(sequence, brain=np.zeros_like(sequence.brain))
    box = Lightbox.of(nothing, height=100)
    assert box.brain_slices == list(range(box.view.shape[2]))
    assert box.draw("current", 3).size[1] == 100


def test_the_native_slice_is_the_one_at_the_same_place(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    native = draw_native(box, box.key_slice)
    level = box.view.arrange(box.sequence.brain)[:, :, box.key_slice]
    brain = box.frame.cut(level) > 0.5
    shown = pixels(native.picture).max(axis=2) > 140
    overlap = (brain & shown).sum() / (brain | shown).sum()
    assert native.gap_mm <= 2.01
    assert overlap > 0.9


@pytest.mark.parametrize("move", ["warp", "resample"])
def test_the_native_slice_follows_the_alignment(sequence_of, move):
    from dataclasses import replace

    sequence = sequence_of()
    shift = np.eye(4)
    shift[2, 3] = 16.0
    step = Step(move, {"transform": shift.tolist()})
    prior = sequence.prior_native.with_grid(
        sequence.prior.data, sequence.prior.affine, step
    )
    moved = replace(sequence, prior=prior)
    here = world_to_native(moved) @ [0, 0, 5, 1]
    assert here[2] == pytest.approx(21)
    still, other = (Lightbox.of(s, height=200) for s in (sequence, moved))
    one, two = (draw_native(b, b.key_slice).picture for b in (still, other))
    assert np.abs(pixels(one) - pixels(two)).mean() > 3


def test_the_native_window_is_in_scanner_units(sequence_of):
    box = Lightbox.of(sequence_of(), height=200)
    low, high = draw_native(box, box.key_slice).window
    assert 0 <= low < 250
    assert 330 < high < 420
