"""The command `mitame`: one subcommand per file, one place where errors end."""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType

import typer

from mitame.cli import apply, compare, demo, fit, info
from mitame.cli.console import show_json, stderr
from mitame.core.errors import MitameError
from mitame.io.bids import NOTICE

USER_CAN_FIX, OUR_FAULT = 2, 1

app = typer.Typer(
    name="mitame",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=f"Make brain MRI from different scanners look alike.\n\n{NOTICE}",
)
for command in (demo, compare, fit, apply, info):
    app.command()(getattr(command, command.__name__.rsplit(".", 1)[-1]))


def run() -> None:
    """Run the command line and exit with 0, 1 (our fault) or 2 (the user can fix)."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(standalone_mode=True)
    except MitameError as error:
        _end(error.what, error.fix, USER_CAN_FIX)
    except KeyboardInterrupt:
        _end(
            "Interrupted; nothing half-written is left.", "Run it again.", USER_CAN_FIX
        )
    except Exception as error:  # noqa: BLE001 - no trace-back may reach a user
        place = _keep(error)
        what = f"mitame failed on its own account: {type(error).__name__}: {error}"
        _end(what, f"Please report it, with the file '{place}'.", OUR_FAULT)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(what: str, fix: str, status: int) -> None:
    """Show one error in the form that was asked for, and exit."""
    if "--json" in sys.argv:
        show_json({"error": {"what": what, "fix": fix}, "status": status})
    else:
        stderr.print(f"Error: {what}", style="bold red", markup=False)
        stderr.print(fix, markup=False)
    sys.exit(status)


def _keep(error: Exception) -> Path:
    """Write the trace-back to a file; return its path."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="mitame-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return Path(file.name)
