from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.acquire import scan
from mitame.simulate.catalog import scanner_named
from mitame.simulate.effects import EFFECTS, scanner_in_words, with_effect

PRISMA = scanner_named("prisma")


@pytest.mark.parametrize("effect", EFFECTS)
def test_one_thing_is_changed_and_the_machine_is_another(effect):
    other = with_effect(PRISMA, effect)
    assert other.scanner != PRISMA.scanner
    assert other.name == f"prisma+{effect}"
    same = replace(other, name=PRISMA.name, scanner=PRISMA.scanner)
    assert same != PRISMA
    back = {
        "tone": {"tone": PRISMA.tone},
        "bias": {"receive_shading": PRISMA.receive_shading},
    }.get(effect, {"acquisitions": PRISMA.acquisitions})
    assert replace(same, **back) == PRISMA


def scanned(person, name):
    found = scan(
        person, scanner_in_words(name), "T1w", spacing=4.0, rng=np.random.default_rng(1)
    )
    return found.image.data, found.noise_free.data


def test_noise_is_doubled(person):
    spreads = []
    for name in ("prisma", "prisma+noise"):
        noisy, quiet = scanned(person, name)
        spreads.append(np.std((noisy - quiet)[quiet > 0.7 * PRISMA.scale]))
    assert spreads[1] / spreads[0] == pytest.approx(2, rel=0.1)


def test_blur_softens_edges_and_ringing_does_not(person):
    slopes = {
        name: (np.diff(scanned(person, name)[1], n=4, axis=0) ** 2).mean()
        for name in ("prisma", "prisma+blur", "prisma+ringing")
    }
    assert slopes["prisma+blur"] < 0.97 * slopes["prisma"] < slopes["prisma+ringing"]


def test_stripes_are_one_wave(person):
    plain, striped = (scanned(person, n)[0] for n in ("prisma", "prisma+stripes"))
    power = np.abs(np.fft.fftn(striped - plain))
    power[0, 0, 0] = 0
    assert power.max() > 5 * np.quantile(power, 0.999)


def test_the_tone_leaves_white_matter_where_it_is(person):
    plain, toned = (scanned(person, n)[1] for n in ("prisma", "prisma+tone"))
    seen = plain > 50
    bent = scanner_in_words("prisma+tone").tone / PRISMA.tone
    assert abs(bent - 1) > 0.1
    # Powers of white matter's own signal: 1 stays 1.
    assert toned[seen] / PRISMA.scale == pytest.approx(
        (plain[seen] / PRISMA.scale) ** bent, rel=1e-3
    )


def test_effects_add_up():
    both = scanner_in_words("avanto+noise+ringing").acquisitions["FLAIR"]
    alone = scanner_named("avanto").acquisitions["FLAIR"]
    assert (both.snr, both.ringing) == (alone.snr / 2, 1.0)


def test_an_unknown_effect_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="sparkle") as error:
        scanner_in_words("prisma+sparkle")
    for effect in EFFECTS:
        assert effect in error.value.fix
