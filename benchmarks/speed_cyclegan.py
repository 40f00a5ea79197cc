"""Steps of CycleGAN training: ours beside the widely used public design.

Theirs is written plainly from the paper (J.-Y. Zhu, T. Park, P. Isola, A. A. Efros,
ICCV 2017): a generator of nine residual blocks at a quarter of the resolution, with
instance normalization, and the 70 × 70 PatchGAN. Its widths are chosen so that it has
as many parameters as ours, generators and discriminators each. Both take whole steps
(generators there and back, cycle and identity losses, both discriminators, Adam) on the
same slices, in turns, in one process.

Usage: python benchmarks/speed_cyclegan.py [SIZE] [STEPS]
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mitame.engines.cyclegan.networks import Networks
from mitame.engines.cyclegan.settings import SIZES, Settings, Size
from mitame.engines.cyclegan.slices import Deck, Head
from mitame.engines.cyclegan.state import State
from mitame.engines.cyclegan.step import take_step
from mitame.engines.cyclegan.team import gathered

SHAPE = (76, 92, 76)
"""Of a head, voxels of 2 mm."""

SEQUENCES = 2
BLOCKS = 9
TURN = 5
"""Steps that one takes before it is the other's turn."""


def main() -> None:
    """Print parameters and steps per second of both, and the ratio."""
    size: Size = sys.argv[1] if len(sys.argv) > 1 else "tiny"  # type: ignore[assignment]
    if size not in get_args(Size):
        sys.exit(f"SIZE is one of {', '.join(get_args(Size))}")
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    settings = replace(SIZES[size], ahead=0.0)  # every step moves all networks
    heads = [_head(seed) for seed in range(4)]
    decks = Deck(heads[:2], settings.place), Deck(heads[2:], settings.place)
    state = State.new((1.6,) * SEQUENCES, settings, 0, gathered().device)
    counts = _counts(state.networks)
    theirs = Public(*_widths(counts))
    rng = np.random.default_rng(0)
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: _ours(state, decks, settings, rng),
        "theirs": lambda: theirs.step(*_batch(decks, settings.batch, rng)),
    }
    taken = dict.fromkeys(runs, 0.0)
    for name, run in runs.items():
        run()  # memory and threads are set up
        print(f"{name}: first step taken", flush=True)
    for _ in range(max(1, steps // TURN)):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(TURN):
                run()
            taken[name] += time.perf_counter() - start
    done = TURN * max(1, steps // TURN)
    print("\n| | generator | discriminator | steps per second |\n|---|---|---|---|")
    for name, (made, judging) in (("ours", counts), ("theirs", theirs.counts())):
        print(f"| {name} | {made} | {judging} | {done / taken[name]:.3f} |")
    print(f"\nours / theirs: {taken['theirs'] / taken['ours']:.2f} ({size})")


def _ours(
    state: State,
    decks: tuple[Deck, Deck],
    settings: Settings,
    rng: np.random.Generator,
) -> None:
    team = gathered()
    none = torch.zeros(1, SEQUENCES, 1, 1, device=team.device)
    take_step(state, decks, settings, (none, none), rng, team)


def _head(seed: int) -> Head:
    rng = np.random.default_rng(seed)
    images = rng.normal(1, 0.2, (SEQUENCES, *SHAPE)).astype(np.float32)
    place = np.hstack([np.eye(3) / 40, np.full((3, 1), -1.0)])
    return Head(images, np.ones(SHAPE, np.float32), place)


def _batch(
    decks: tuple[Deck, Deck], n: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return slices of both, cut as ours are."""
    axis = int(rng.integers(3))
    found = []
    for deck in decks:
        some = deck.draw(axis, np.linspace(*deck.span(axis), n), rng)
        images = torch.from_numpy(np.ascontiguousarray(deck.cut(axis, some).images))
        images = images.to(gathered().device)
        found.append(images.contiguous(memory_format=torch.channels_last))
    return found[0], found[1]


def _counts(networks: Networks) -> tuple[int, int]:
    return _size(networks.there), _size(networks.there_judge)


def _size(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _widths(counts: tuple[int, int]) -> tuple[int, int]:
    """Return the widths with which theirs have most nearly so many parameters."""

    def nearest(make: Callable[[int], nn.Module], count: int) -> int:
        sizes = {width: _size(make(width)) for width in range(1, 65)}
        return min(sizes, key=lambda width: abs(np.log(sizes[width] / count)))

    return nearest(resnet_9, counts[0]), nearest(patch_gan, counts[1])


class ResidualBlock(nn.Module):
    """Two convolutions of three pixels that add to what they are given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, given: Tensor) -> Tensor:
        """Return the same shape."""
        found: Tensor = given + self.inner(given)
        return found


def resnet_9(width: int) -> nn.Sequential:
    """Return the paper's generator: c7s1-k, d2k, d4k, nine R4k, u2k, uk, c7s1-n."""

    def known(layer: nn.Module, channels: int) -> list[nn.Module]:
        return [layer, nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]

    def down(n: int) -> list[nn.Module]:
        return known(nn.Conv2d(n, 2 * n, 3, 2, 1), 2 * n)

    def up(n: int) -> list[nn.Module]:
        return known(nn.ConvTranspose2d(n, n // 2, 3, 2, 1, 1), n // 2)

    return nn.Sequential(
        nn.ReflectionPad2d(3),
        *known(nn.Conv2d(SEQUENCES, width, 7), width),
        *down(width),
        *down(2 * width),
        *(ResidualBlock(4 * width) for _ in range(BLOCKS)),
        *up(4 * width),
        *up(2 * width),
        nn.ReflectionPad2d(3),
        nn.Conv2d(width, SEQUENCES, 7),
        nn.Tanh(),
    )


def patch_gan(width: int) -> nn.Sequential:
    """Return the paper's discriminator of pieces of 70 × 70: C64-C128-C256-C512."""

    def layer(n_in: int, n_out: int, stride: int) -> list[nn.Module]:
        return [
            nn.Conv2d(n_in, n_out, 4, stride, 1),
            nn.InstanceNorm2d(n_out),
            nn.LeakyReLU(0.2, inplace=True),
        ]

    return nn.Sequential(
        nn.Conv2d(SEQUENCES, width, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        *layer(width, 2 * width, 2),
        *layer(2 * width, 4 * width, 2),
        *layer(4 * width, 8 * width, 1),
        nn.Conv2d(8 * width, 1, 4, 1, 1),
    )


class Public:
    """The public design's four networks and its step, with the paper's weights."""

    def __init__(self, width: int, judge_width: int) -> None:
        self.there, self.back = (_fast(resnet_9(width)) for _ in range(2))
        self.judges = [_fast(patch_gan(judge_width)) for _ in range(2)]
        made = itertools.chain(self.there.parameters(), self.back.parameters())
        self.making = torch.optim.Adam(made, 2e-4, betas=(0.5, 0.999))
        judged = itertools.chain(*(judge.parameters() for judge in self.judges))
        self.judging = torch.optim.Adam(judged, 2e-4, betas=(0.5, 0.999))

    def counts(self) -> tuple[int, int]:
        """Return the parameters of a generator and of a discriminator."""
        return _size(self.there), _size(self.judges[0])

    def step(self, a: Tensor, b: Tensor) -> None:
        """Take one step of all networks."""
        made_b, made_a = self.there(a), self.back(b)
        fooled = _wrong(self.judges[0](made_b), 1) + _wrong(self.judges[1](made_a), 1)
        cycle = _apart(self.back(made_b), a) + _apart(self.there(made_a), b)
        identity = _apart(self.there(b), b) + _apart(self.back(a), a)
        self.making.zero_grad()
        (fooled + 10 * cycle + 5 * identity).backward()
        self.making.step()
        self.judging.zero_grad()
        caught = sum(
            _wrong(judge(real), 1) + _wrong(judge(fake.detach()), 0)
            for judge, real, fake in zip(
                self.judges, (b, a), (made_b, made_a), strict=True
            )
        )
        caught.backward()  # type: ignore[union-attr]
        self.judging.step()


def _fast(network: nn.Sequential) -> nn.Sequential:
    network.to(gathered().device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _wrong(scores: Tensor, real: int) -> Tensor:
    return functional.mse_loss(scores, torch.full_like(scores, float(real)))


def _apart(one: Tensor, other: Tensor) -> Tensor:
    return functional.l1_loss(one, other[..., : one.shape[2], : one.shape[3]])


if __name__ == "__main__":
    main()
