"""One test subject: a result, held against everything that is known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.evaluate import metrics
from mitame.evaluate.cohort import Cohort, Prepared, gain_of
from mitame.evaluate.painted import Painted
from mitame.evaluate.planted import Mark, kept_of_lesions
from mitame.prepare.template import tissue_prior

WHITE, GREY = (2, 41), (3, 42)
"""FreeSurfer labels of cerebral white matter and cortex."""

TISSUE = 0.7
"""Probability above which a voxel is of a tissue, where there are no labels."""

PLANTED = 0.5
"""Share of its height above which a planted mark is measured."""


@dataclass(frozen=True, slots=True)
class Direction:
    """From one scanner to another, and who trains and who tests.

    Parameters
    ----------
    source, target : str
        Scanners.
    train_source, train_target : tuple of str
        Subjects whose scans on one and on the other an engine learns from.
    test : tuple of str
        Subjects it has not seen, whose scans on both are known.
    """

    source: str
    target: str
    train_source: tuple[str, ...]
    train_target: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What only a simulation has.

    Parameters
    ----------
    rescan, noise_free : Session
        Of the target scanner.
    source_noise_free : Session
        Of the source scanner.
    """

    rescan: Session
    noise_free: Session
    source_noise_free: Session


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What an engine made of one subject, and what it is held against.

    Parameters
    ----------
    subject : str
        BIDS label.
    result : Session
        The harmonized scans.
    source, target : Session
        The scans of both scanners.
    mask : array of bool, shape (i, j, k)
        The brain that both show.
    truth : Truth, optional
        If the cohort has it.
    lesions : array of int, shape (i, j, k), optional
        n where lesion n is, 0 elsewhere; None if none is known.
    cohort : Cohort
        Where marks, lesions and labels are.
    scanner : str
        The source scanner.
    """

    subject: str
    result: Session
    source: Session
    target: Session
    mask: NDArray[np.bool_]
    truth: Truth | None
    lesions: NDArray[np.int16] | None
    cohort: Cohort
    scanner: str

    @classmethod
    def of(
        cls, subject: str, result: Session, direction: Direction, images: Prepared
    ) -> Self:
        """Return the case of one subject; its images are read."""
        source = images.session(subject, direction.source)
        target = images.session(subject, direction.target)
        truth = None
        if images.cohort.has_rescans:
            truth = Truth(
                images.session(subject, direction.target, "rescan"),
                images.session(subject, direction.target, "noisefree"),
                images.session(subject, direction.source, "noisefree"),
            )
        mask = source.require_brain() & target.require_brain()
        return cls(
            subject,
            result,
            source,
            target,
            mask,
            truth,
            images.cohort.lesions(subject),
            images.cohort,
            direction.source,
        )

    def having(self, painted: Painted) -> Case:
        """Return the case of a person who has painted lesions; the result is kept."""
        return replace(self._changed(painted.on), lesions=painted.labels)

    def with_mark_again(self) -> Case:
        """Return the case of a person with a lesion that looks like the mark."""
        marks = {suffix: self.mark(suffix) for suffix in self.source}

        def changed(session: Session) -> Session:
            return session.with_data(
                {
                    suffix: session[suffix].data + (mark.added if mark else 0)
                    for suffix, mark in marks.items()
                },
                Step("lesion"),
            )

        return self._changed(changed)

    def _changed(self, changed: Callable[[Session], Session]) -> Case:
        """Return the case of a person who looks otherwise on both scanners."""
        truth = self.truth
        if truth is not None:
            truth = Truth(
                changed(truth.rescan),
                changed(truth.noise_free),
                changed(truth.source_noise_free),
            )
        source, target = changed(self.source), changed(self.target)
        return replace(self, source=source, target=target, truth=truth)

    def scores(self, suffix: Suffix) -> dict[str, float | list[float]]:
        """Return the scores of one sequence, by metric; of lesions, one each."""
        image, true = self.result[suffix].data, self.target[suffix].data
        found: dict[str, float | list[float]] = {
            **metrics.against_truth(image, true, self.mask)
        }
        if self.truth is not None:
            true = self.truth.noise_free[suffix].data
            found["psnr_noisefree"] = metrics.psnr(image, true, self.mask)
            found["ssim_noisefree"] = metrics.ssim(image, true, self.mask)
            if kept := self.lesions_kept(suffix):
                found["lesion_contrast_kept"] = kept
        if (mark := self.mark(suffix)) is not None:
            found["planted_residual"] = mark.left(image, self.quiet(suffix))
        return found

    def quiet(self, suffix: Suffix) -> NDArray[np.float32]:
        """Return the target without noise if there is truth, else as it was scanned."""
        truth = self.truth
        return (self.target if truth is None else truth.noise_free)[suffix].data

    def mark(self, suffix: Suffix) -> Mark | None:
        """Return what the source scanner shows everybody, if the truth tells."""
        planted = self.cohort.planted(self.subject, self.scanner, suffix)
        if planted is None:
            return None
        added = planted * np.float32(gain_of(self.source[suffix]))
        return Mark(added, self.mask & (added > PLANTED * added.max()))

    def gaps(self, suffix: Suffix) -> dict[str, tuple[float, float]]:
        """Return how much error is gone and how much could be, by metric.

        Mean absolute errors; none without a rescan.
        """
        if self.truth is None:
            return {}
        seen = self.source, self.result, self.truth.rescan
        before, after, least = (session[suffix].data for session in seen)
        aims = {
            "gap_closed": self.target,
            "gap_closed_noisefree": self.truth.noise_free,
        }
        return {
            metric: metrics.gap(before, after, least, aim[suffix].data, self.mask)
            for metric, aim in aims.items()
        }

    def lesions_kept(self, suffix: Suffix, *, smallest_mm: float = 0.0) -> list[float]:
        """Return how much is left of each lesion that the source scanner shows.

        What it shows without noise, if there is truth. Nothing where no lesion is
        known.

        Parameters
        ----------
        suffix : str
            Which sequence.
        smallest_mm : float
            Diameter of the ball as large as the smallest lesion that counts.
        """
        if self.lesions is None:
            return []
        truth = self.truth
        quiet = self.source if truth is None else truth.source_noise_free
        white, grey = self.tissues()
        return kept_of_lesions(
            before=self.source[suffix].data,
            after=self.result[suffix].data,
            quiet=quiet[suffix].data,
            lesions=self.lesions,
            white=white,
            grey=grey,
            brain=self.mask,
            spacing=self.source.reference.spacing,
            smallest_mm=smallest_mm,
        )

    def tissues(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return where white and gray matter are: by labels, or likely by place."""
        if self.truth is None:
            likely = (tissue_prior(self.source, tissue) for tissue in ("wm", "gm"))
            white, gray = (self.mask & (one > TISSUE) for one in likely)
            return white, gray
        labels = self.cohort.labels(self.subject)
        white, gray = (self.mask & np.isin(labels, names) for names in (WHITE, GREY))
        return white, gray
