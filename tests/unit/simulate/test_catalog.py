"""The ranges of contrast say how these sequences are meant to look.

We found no published ranges; one real head (3 T, ms-cross/patient07 of Lesjak 2017,
medians of eroded tissue) has white over grey matter 1.21 on T1w, grey over white 1.15
on T2w and 1.14 on FLAIR, and fluid over white matter 0.09, 2.6 and 0.34. The timing of
T2w and FLAIR is held against the ranges that the Dutch Parelsnoer Institute asks for
(Aalten 2014, BMC Neurology 14:254, box 2).
"""

from math import radians

import pytest

from mitame.core.errors import InputError
from mitame.simulate.acquisition import signal
from mitame.simulate.catalog import scanner_named, scanners
from mitame.simulate.tissue import relaxation

OURS = scanners()
BLOCK = """
[attic]
manufacturer = "Nobody"
model = "One"
field_strength = 3.0
receive_shading = 0.2
center_brightening = 0.2
gradient_nonlinearity_mm = 1.5
tone = 1.0
scale = 400

[attic.T1w]
kind = "mprage"
tr_ms = 2300
te_ms = 3
ti_ms = 900
flip_angle_deg = 9
echo_spacing_ms = 7
n_excitations = 170
slice_thickness_mm = 1.2
blur_mm = 1.0
ringing = 0.5
snr = 40
stripes = 0.02
"""


def written(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def ratio(scanner, suffix, one, other):
    strength = scanner.scanner.field_strength
    bright, dark = (
        signal(scanner.acquisitions[suffix], relaxation(tissue, strength)).item()
        for tissue in (one, other)
    )
    return bright / dark


def test_six_scanners_of_three_makers_at_two_field_strengths():
    machines = [one.scanner for one in OURS.values()]
    assert len(set(machines)) == len(OURS) >= 6
    for strength in (1.5, 3.0):
        makers = [m.manufacturer for m in machines if m.field_strength == strength]
        assert len(set(makers)) >= 3
    assert all(
        set(one.acquisitions) == {"T1w", "T2w", "FLAIR"} for one in OURS.values()
    )


@pytest.mark.parametrize("name", OURS)
def test_t1w_shows_white_over_grey_matter_and_dark_fluid(name):
    assert 1.2 < ratio(OURS[name], "T1w", "white_matter", "cortex") < 1.6
    assert ratio(OURS[name], "T1w", "csf", "white_matter") < 0.4
    assert ratio(OURS[name], "T1w", "lesion", "white_matter") < 0.85
    between = ratio(OURS[name], "T1w", "deep_grey", "cortex")
    assert 1 < between < ratio(OURS[name], "T1w", "white_matter", "cortex")


@pytest.mark.parametrize("name", OURS)
def test_t2w_shows_fluid_brightest_and_grey_over_white_matter(name):
    assert 1.1 < ratio(OURS[name], "T2w", "cortex", "white_matter") < 1.5
    for tissue in ("white_matter", "cortex", "lesion", "tumor", "infarct", "fat"):
        assert ratio(OURS[name], "T2w", "csf", tissue) > 1
    assert ratio(OURS[name], "T2w", "pallidum", "white_matter") < 1


@pytest.mark.parametrize("name", OURS)
def test_flair_shows_grey_over_white_matter_and_no_fluid(name):
    assert 1.1 < ratio(OURS[name], "FLAIR", "cortex", "white_matter") < 1.4
    assert ratio(OURS[name], "FLAIR", "csf", "white_matter") < 0.25
    assert ratio(OURS[name], "FLAIR", "lesion", "cortex") > 1.2


@pytest.mark.parametrize("name", OURS)
def test_the_timing_is_what_hospitals_use(name):
    t2w, flair = (OURS[name].acquisitions[suffix] for suffix in ("T2w", "FLAIR"))
    assert 2.0 <= t2w.tr < 9.0  # the longest are IXI's
    assert 0.080 <= t2w.te <= 0.120
    assert 8.0 <= flair.tr <= 12.0
    assert 0.100 <= flair.te <= 0.150
    assert 2.2 <= flair.ti <= 2.8


@pytest.mark.parametrize("name", OURS)
def test_the_brightest_tissue_fits_into_twelve_bits(name):
    # Half as bright again for tissue near the coil.
    for suffix in OURS[name].acquisitions:
        for tissue in ("csf", "fat", "eye"):
            top = ratio(OURS[name], suffix, tissue, "white_matter") * 1.5
            assert OURS[name].scale * top < 4095


def test_a_stronger_magnet_has_a_stronger_wave_in_the_middle():
    weak = [s for s in OURS.values() if s.scanner.field_strength == 1.5]
    strong = [s for s in OURS.values() if s.scanner.field_strength == 3.0]
    assert all(0.02 <= s.center_brightening <= 0.05 for s in weak)
    assert all(0.2 <= s.center_brightening <= 0.3 for s in strong)


def test_the_units_of_the_file_become_si():
    t1w = scanner_named("prisma").acquisitions["T1w"]
    assert t1w.tr == pytest.approx(2.3)
    assert t1w.te == pytest.approx(0.00298)
    assert t1w.ti == pytest.approx(0.9)
    assert t1w.flip_angle == pytest.approx(radians(9))
    assert t1w.echo_spacing == pytest.approx(0.0071)
    assert t1w.n_excitations == 176
    assert t1w.slice_thickness_mm is None
    assert scanner_named("prisma").acquisitions["T2w"].slice_thickness_mm == 3.0


def test_a_file_of_ones_own_adds_to_ours(tmp_path):
    extra = written(tmp_path, BLOCK)
    assert list(scanners(extra)) == [*OURS, "attic"]
    attic = scanner_named("attic", extra)
    assert str(attic.scanner) == "Nobody One 3 T"
    assert attic.gradient_nonlinearity_mm == 1.5
    assert list(attic.acquisitions) == ["T1w"]
    assert attic.acquisitions["T1w"].stripes == 0.02


def test_a_name_that_is_taken_is_refused(tmp_path):
    with pytest.raises(InputError, match="describes avanto, which we have"):
        scanners(written(tmp_path, BLOCK.replace("attic", "avanto")))


def test_a_misspelt_scanner_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"'prizma'.*mean 'prisma'"):
        scanner_named("prizma")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("tone", "tune", r"\[attic\] in .*'tune'.*mean 'tone'"),
        ("[attic.T1w]", "[attic.T1W]", "'T1W'.*mean 'T1w'"),
        ("te_ms", "te", r"\[attic.T1w\] in .*'te'.*mean 'te_ms'"),
        ("scale = 400", "", "lacks scale"),
        ("snr = 40", "", "T1w.* lacks snr"),
        ("ti_ms = 900", "", r"T1w.*needs 'ti'"),
        ("field_strength = 3.0", "field_strength = 7", r"7 of .*1\.5 and 3\.0 T"),
        ("scale = 400", "scale = 9000", "scale = 9000.*1 to 4095"),
        ("scale = 400", "scale = 'big'", "'big'.*a number"),
        ("scale = 400", "scale = true", "True.*a number"),
        ("n_excitations = 170", "n_excitations = 170.5", "a whole number"),
        ("tr_ms = 2300", "tr_ms = 2.3", "T1w.*do not fit"),
        ("snr = 40", "snr = [1]", "a number"),
        ('kind = "mprage"', 'kind = "epi"', "'epi'"),
        ("[attic]", "attic = 3\n[other]", "attic.*not a table"),
        ("scale = 400", "scale =", "not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(tmp_path, old, new, complaint):
    assert old in BLOCK
    text = BLOCK.replace(old, new)
    if "attic = 3" in new:
        text = new
    with pytest.raises(InputError, match=complaint):
        scanners(written(tmp_path, text))


def test_a_scanner_without_a_sequence_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no sequence"):
        scanners(written(tmp_path, BLOCK.split("[attic.T1w]")[0]))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        scanners(tmp_path / "nowhere.toml")
