from dataclasses import replace

import numpy as np
import pytest

from mitame.simulate.acquire import scan, scan_grid, tissue_image
from mitame.simulate.acquisition import signal
from mitame.simulate.anatomy import OUTSIDE_BRAIN
from mitame.simulate.catalog import scanner_named
from mitame.simulate.fields import transmit_field
from mitame.simulate.signal import spin_echo_b1
from mitame.simulate.tissue import relaxation


def rng(seed=0):
    return np.random.default_rng(seed)


def flat(person):
    """The same person with every tissue as in the table, and no texture."""
    own = {tissue: np.ones(3) for tissue in person.tissues}
    return replace(person, relaxation=own, texture=np.zeros_like(person.texture))


def even(scanner, **changes):
    """A scanner that colors nothing, with one sequence changed."""
    runs = {
        suffix: replace(acquisition, blur_mm=0, slice_thickness_mm=None, **changes)
        for suffix, acquisition in scanner.acquisitions.items()
    }
    return replace(
        scanner, receive_shading=0, center_brightening=0, tone=1, acquisitions=runs
    )


def in_skull(person):
    return ~np.isin(person.labels, OUTSIDE_BRAIN)


def deep(person, tissue):
    return person.share(tissue) > 0.99


@pytest.mark.parametrize("name", ["avanto", "signa", "achieva"])
@pytest.mark.parametrize("suffix", ["T1w", "T2w", "FLAIR"])
def test_pure_tissue_has_the_signal_of_its_equation(person, name, suffix):
    scanner = even(scanner_named(name))
    acquisition = scanner.acquisitions[suffix]
    strength = scanner.scanner.field_strength
    for tissue in ("white_matter", "cortex", "csf"):
        everywhere = np.ones(person.labels.shape)
        found = tissue_image(
            flat(person).with_share(tissue, everywhere), scanner, acquisition
        )
        own = relaxation(tissue, strength)
        expected = signal(acquisition, own, signed=True)
        if tissue == "csf" and suffix == "FLAIR":
            fresh = signal(replace(acquisition, kind="spin_echo", ti=None), own)
            expected = 0.96 * expected + 0.04 * fresh
        assert found == pytest.approx(expected.item(), rel=1e-4)


def test_fluid_that_came_after_the_inversion_is_seen_in_flair_only(person):
    scanner = scanner_named("prisma")
    white, fluid = (
        tissue_image(
            flat(person).with_share(tissue, np.ones(person.labels.shape)),
            even(scanner),
            scanner.acquisitions["FLAIR"],
        ).mean()
        for tissue in ("white_matter", "csf")
    )
    assert 0.2 < fluid / white < 0.45  # four real exams: 0.31 to 0.40


def test_a_parabola_follows_the_transmit_field(person):
    plain = even(scanner_named("prisma"))
    bright = replace(plain, center_brightening=0.2)
    acquisition = plain.acquisitions["T2w"]
    white = deep(person, "white_matter")
    seen, nominal = (
        tissue_image(flat(person), scanner, acquisition)[white]
        for scanner in (bright, plain)
    )
    middle = person.affine[:3] @ [*np.argwhere(in_skull(person)).mean(axis=0), 1]
    field = transmit_field(
        person.grid.shape, person.affine, middle, center_brightening=0.2
    )
    expected = spin_echo_b1(field[white])
    assert expected.min() < 0.97
    assert seen / nominal == pytest.approx(expected, abs=0.005)


def test_what_did_not_fit_into_12_bits_is_told(person):
    scanner = scanner_named("prisma")
    told = [
        scan(person, replace(scanner, scale=scale), "T1w", spacing=4.0, rng=rng()).image
        for scale in (scanner.scale, 4000.0)
    ]
    counts = [image.history[-1].params["n_saturated"] for image in told]
    at_most = [(image.data == 4095).sum() for image in told]
    assert counts[0] == at_most[0] == 0
    assert 0.98 * at_most[1] < counts[1] <= at_most[1]  # some round to 4095 exactly


def test_longer_t1_darkens_a_t1w(person):
    scanner = even(scanner_named("prisma"))
    acquisition = scanner.acquisitions["T1w"]
    slow = flat(person)
    texture = slow.texture.copy()
    texture[0] = 0.05
    white = deep(person, "white_matter")
    before, after = (
        np.median(tissue_image(one, scanner, acquisition)[white])
        for one in (slow, replace(slow, texture=texture))
    )
    known = relaxation("white_matter", 3.0)
    longer = signal(acquisition, replace(known, t1=1.05 * known.t1)).item()
    assert after / before == pytest.approx(
        longer / signal(acquisition, known).item(), abs=0.004
    )


def test_white_matter_is_stored_at_its_scale(person):
    scanner = even(scanner_named("avanto"), snr=1000)
    found = scan(flat(person), scanner, "T1w", spacing=4.0, rng=rng())
    middle = found.image.data[found.image.data > 0.9 * scanner.scale]
    assert np.median(middle) == pytest.approx(scanner.scale, rel=0.15)
    assert found.image.data.max() <= 4095
    assert np.array_equal(found.image.data, np.rint(found.image.data))


def test_noise_has_its_strength_and_the_truth_has_none(person):
    scanner = even(scanner_named("avanto"), snr=25)
    one, other = (
        scan(person, scanner, "T1w", spacing=4.0, rng=rng(seed)) for seed in (1, 2)
    )
    assert np.array_equal(one.noise_free.data, other.noise_free.data)
    bright = one.noise_free.data > 0.7 * scanner.scale
    noise = (one.image.data - one.noise_free.data)[bright]
    assert noise.std() == pytest.approx(scanner.scale / 25, rel=0.1)
    assert abs(noise.mean()) < 0.1 * noise.std() + 0.5


def test_one_seed_is_one_scan(person):
    scanner = scanner_named("mr750")
    one, again, other = (
        scan(person, scanner, "FLAIR", spacing=4.0, rng=rng(seed)).image.data
        for seed in (1, 1, 2)
    )
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_what_is_planted_multiplies_the_signal(person):
    scanner = even(scanner_named("prisma"))
    mark = np.full(person.labels.shape, 1.3, np.float32)
    plain, marked = (
        scan(person, scanner, "T1w", spacing=4.0, rng=rng(), planted=planted).noise_free
        for planted in (None, mark)
    )
    bright = plain.data > 0.5 * scanner.scale
    assert marked.data[bright] / plain.data[bright] == pytest.approx(1.3, rel=1e-3)


def test_a_scan_lies_where_the_subject_lies(person):
    grid = scan_grid(person, 4.0)
    assert grid.spacing == pytest.approx([4.0] * 3)
    assert np.allclose(grid.affine[:3, 3], person.affine[:3, 3])
    scanner = even(scanner_named("prisma"), snr=1000, ringing=0)
    seen = scan(flat(person), scanner, "T1w", spacing=4.0, rng=rng()).noise_free
    truth = tissue_image(flat(person), scanner, scanner.acquisitions["T1w"])
    places = [
        (np.argwhere(data > 0) * data[data > 0][:, None]).sum(axis=0)
        / data[data > 0].sum()
        for data in (seen.data, truth)
    ]
    worlds = [
        (affine @ [*place, 1])[:3]
        for affine, place in zip((seen.affine, person.affine), places, strict=True)
    ]
    assert np.linalg.norm(worlds[0][:2] - worlds[1][:2]) < 0.3  # the slab fades below


def test_blood_is_dark_in_spin_echoes_and_bright_in_gradient_echoes(person):
    scanner = even(scanner_named("prisma"))
    ball = np.zeros(person.labels.shape)
    where = tuple(np.argwhere(deep(person, "white_matter"))[0])
    ball[where] = 1
    vessel = flat(person).with_share("artery", ball)
    seen = {
        s: tissue_image(vessel, scanner, scanner.acquisitions[s])
        for s in ("T1w", "T2w")
    }
    white = {
        s: np.median(image[deep(person, "white_matter")]) for s, image in seen.items()
    }
    assert seen["T2w"][where] < 0.5 * white["T2w"]
    assert seen["T1w"][where] > white["T1w"]


def test_gradients_that_are_not_linear_move_what_is_far_from_the_middle(person):
    straight = even(scanner_named("prisma"), snr=1000)
    bent = replace(straight, gradient_nonlinearity_mm=6.0)
    seen, moved = (
        scan(flat(person), one, "T1w", spacing=4.0, rng=rng()).noise_free
        for one in (straight, bent)
    )
    change = np.abs(moved.data - seen.data) / straight.scale
    middle = np.array(change.shape) // 2
    near = tuple(slice(m - 4, m + 4) for m in middle)
    assert np.median(change[near]) < 0.05
    assert change.max() > 0.3
