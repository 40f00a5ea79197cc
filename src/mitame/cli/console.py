"""What a command shows: progress on stderr, one report at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from mitame.io.bids import NOTICE

REPORTED = ("mitame", "numpy", "scipy", "SimpleITK", "torch", "nibabel", "pydicom")

stderr = Console(stderr=True, highlight=False)


@dataclass(slots=True)
class Job:
    """One run of a command: what it was given, what it made."""

    command: str
    as_json: bool
    bar: Progress
    inputs: list[dict[str, str]] = field(default_factory=list)
    outputs: list[Path] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def expect(self, steps: int, what: str) -> None:
        """Say how many steps there will be."""
        self.bar.add_task(what, total=steps)

    def step(self, what: str) -> None:
        """Say that one more step is done."""
        self.bar.update(self.bar.task_ids[-1], advance=1, description=what)


@contextmanager
def job(command: str, *, as_json: bool) -> Iterator[Job]:
    """Run a command with progress on stderr; print its report on stdout at the end."""
    start = time.perf_counter()
    columns = (
        SpinnerColumn(),
        BarColumn(24),
        Elapsed(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=stderr, transient=True) as bar:
        running = Job(command, as_json, bar)
        yield running
    seconds = round(time.perf_counter() - start, 1)
    if as_json:
        show_json(_report(running, seconds))
        return
    out = Console(highlight=False, soft_wrap=True)
    for line in running.lines:
        out.print(line, markup=False)
    stderr.print(f"{seconds} s. {NOTICE}", style="dim")


def show_json(content: dict[str, Any]) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _report(running: Job, seconds: float) -> dict[str, Any]:
    return {
        "command": running.command,
        "notice": NOTICE,
        "versions": _versions(),
        "device": "cpu",
        "inputs": running.inputs,
        "outputs": [str(path) for path in running.outputs],
        "seconds": seconds,
        **running.result,
    }


def _versions() -> dict[str, str]:
    found = {"python": python_version()}
    for name in REPORTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
