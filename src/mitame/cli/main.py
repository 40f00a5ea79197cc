"""The command `mitame`: one subcommand per file, one place where errors end."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mitame.cli import (
    apply,
    benchmark,
    compare,
    demo,
    evaluate,
    explain,
    fit,
    info,
    interrupt,
    simulate,
)
from mitame.cli.console import show_json
from mitame.core.errors import MitameError
from mitame.io.notice import NOTICE
from mitame.io.staging import discard_all

DONE, OUR_FAULT, USER_CAN_FIX = 0, 1, 2
TYPERS_INTERRUPTED = 130
"""What typer makes of a `KeyboardInterrupt`."""
SHOW_CURSOR = "\x1b[?25h"
"""The progress bar hides it, and has no time to show it again."""

app = typer.Typer(
    name="mitame",
    add_completion=False,
    pretty_exceptions_enable=False,
    help=f"Make brain MRI from different scanners look alike.\n\n{NOTICE}",
)
for command in (
    demo,
    compare,
    fit,
    apply,
    evaluate,
    explain,
    simulate,
    benchmark,
    info,
):
    app.command()(getattr(command, command.__name__.rsplit(".", 1)[-1]))

_last_word = threading.RLock()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed, for the user."""

    what: str
    fix: str
    status: int


INTERRUPTED = Failure(
    "Interrupted; nothing half-written is left.",
    "Start it again; `apply`, `simulate` and `benchmark` go on where they stopped.",
    USER_CAN_FIX,
)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.")
    ] = False,
) -> None:
    if show_version:
        sys.stdout.write(f"mitame {version('mitame')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit


def run() -> NoReturn:
    """Run the command line and exit with 0, 1 (our fault) or 2 (the user can fix)."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # "×" on an ASCII terminal
            stream.reconfigure(errors="backslashreplace")
    interrupt.watch(lambda: _end_at_once(arguments))
    _leave(outcome(arguments))


def outcome(arguments: Sequence[str]) -> int:
    """Run one command, show how it failed if it did; return the exit status."""
    try:
        status = app(list(arguments), prog_name="mitame", standalone_mode=False)
    except SystemExit:  # typer's way when nobody reads stdout, as in `… | head`
        return DONE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last stop
        failure = _failure(error, arguments)
    else:
        if status != TYPERS_INTERRUPTED:
            return int(status or DONE)
        failure = INTERRUPTED
    _show(failure, arguments)
    return failure.status


def _failure(error: BaseException, arguments: Sequence[str]) -> Failure:
    """Return what `error` means for the user."""
    match error:
        case KeyboardInterrupt():
            return INTERRUPTED
        case MitameError():
            return Failure(error.what, error.fix, USER_CAN_FIX)
        case typer.TyperException():
            return Failure(error.format_message(), _help_for(arguments), USER_CAN_FIX)
        case MemoryError():
            fix = "Close other programs, or use a machine with more memory."
            return Failure("There is not enough memory.", fix, USER_CAN_FIX)
        case OSError(filename=str() as name, strerror=str() as reason):
            return Failure(
                f"'{name}': {reason}.", "Check the file and its rights.", USER_CAN_FIX
            )
        case OSError(errno=errno.ENOSPC):
            return Failure("The disk is full.", "Free some space.", USER_CAN_FIX)
    what = f"mitame failed on its own account: {type(error).__name__}: {error}"
    return Failure(what, f"Please report it, with '{_kept(error)}'.", OUR_FAULT)


def _help_for(arguments: Sequence[str]) -> str:
    names = {command.name or "" for command in app.registered_commands}
    names |= {c.callback.__name__ for c in app.registered_commands if c.callback}
    named = next((argument for argument in arguments if argument in names), None)
    return f"See `mitame {f'{named} ' if named else ''}--help`."


def _show(failure: Failure, arguments: Sequence[str]) -> None:
    """Show one error in the form that was asked for."""
    _last_word.acquire()  # never released: one thread ends the process
    interrupt.no_more_interrupts()
    if "--json" in arguments:
        error = {"what": failure.what, "fix": failure.fix}
        show_json({"status": failure.status, "error": error, "notice": NOTICE})
    else:
        sys.stderr.write(f"Error: {failure.what}\n{failure.fix}\n")


def _end_at_once(arguments: Sequence[str]) -> NoReturn:
    discard_all()
    if sys.stderr.isatty():
        sys.stderr.write(SHOW_CURSOR + "\n")
    _show(INTERRUPTED, arguments)
    _leave(INTERRUPTED.status)


def _leave(status: int) -> NoReturn:
    """Exit without waiting for worker threads: what they make is not wanted now."""
    with suppress(OSError):  # nobody reads them any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _kept(error: BaseException) -> Path:
    """Write the trace-back to a file; return its path."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="mitame-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return Path(file.name)
