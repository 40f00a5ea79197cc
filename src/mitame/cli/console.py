"""What a command shows: progress on stderr, one report at the end."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

from mitame.cli.interrupt import no_more_interrupts
from mitame.io.notice import NOTICE

if TYPE_CHECKING:
    from rich.progress import Progress

REPORTED = ("mitame", "numpy", "scipy", "SimpleITK", "torch", "nibabel", "pydicom")


@dataclass(slots=True)
class Job:
    """One run of a command: what it was given, what it made.

    Parameters
    ----------
    command : str
        Its name.
    as_json : bool
        Whether the report is for machines.
    bar : Progress, optional
        Where stderr is a terminal; else every step is a line.
    inputs : list of dict
        ``name`` and ``sha256`` of what was read.
    outputs : list of Path
        Files written.
    result : dict
        What only this command reports, plain values.
    lines : list of str
        The report for people.
    failures : int
        Scans that failed alone; more than none makes the exit status 2.
    """

    command: str
    as_json: bool
    bar: Progress | None = None
    inputs: list[dict[str, str]] = field(default_factory=list)
    outputs: list[Path] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    failures: int = 0
    start: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since the command started."""
        return round(time.perf_counter() - self.start, 1)

    def expect(self, steps: int, what: str) -> None:
        """Say how many steps there will be, and what is done first."""
        if self.bar is None:
            self._line(what)
        else:
            self.bar.add_task(what, total=steps)

    def now(self, what: str) -> None:
        """Say what is being done."""
        if self.bar is None:
            self._line(what)
        else:
            self.bar.update(self.bar.task_ids[-1], description=what)

    def step(self, what: str, *, keep: bool = False) -> None:
        """Say that one more step is done; `keep` leaves its line on the terminal."""
        if self.bar is None:
            self._line(what)
            return
        if keep:
            self.bar.console.print(what, markup=False)
        self.bar.update(self.bar.task_ids[-1], advance=1, description=what)

    def _line(self, what: str) -> None:
        sys.stderr.write(f"{self.seconds:7.1f} s  {what}\n")
        sys.stderr.flush()


@contextmanager
def job(command: str, *, as_json: bool) -> Iterator[Job]:
    """Run a command with progress on stderr; print its report on stdout at the end."""
    running = Job(command, as_json)
    with _progress(running):
        yield running
    no_more_interrupts()  # the result is there: from here on, a half report is worse
    if as_json:
        show_json(_report(running))
        return
    for line in running.lines:
        sys.stdout.write(line + "\n")
    sys.stderr.write(f"{running.seconds} s. {NOTICE}\n")


def show_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout; numbers that are not finite become null.

    Characters that stdout cannot hold are escaped, as those of a file name that is
    not UTF-8.
    """
    finite = _finite(content)
    text = json.dumps(finite, indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = json.dumps(finite, indent=2)
    sys.stdout.write(text + "\n")


def _finite(value: Any) -> Any:  # noqa: ANN401 - any plain value
    """Return `value` with None for NaN and infinities, which JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def _progress(running: Job) -> Iterator[None]:
    """Show a bar while `running` runs, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    # rich is for terminals only, and `mitame --help` need not wait for it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    columns = SpinnerColumn(), BarColumn(24), Elapsed()
    what = TextColumn("{task.description}", markup=False)
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, what, console=console, transient=True) as running.bar:
        yield


def _report(running: Job) -> dict[str, Any]:
    return {
        "command": running.command,
        "status": 2 if running.failures else 0,
        "notice": NOTICE,
        "versions": _versions(),
        "device": "cpu",
        "inputs": running.inputs,
        "outputs": [str(path) for path in running.outputs],
        "seconds": running.seconds,
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
