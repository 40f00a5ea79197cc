"""Write reference/cli.md from every command's --help.

Usage: .venv/bin/python docs/write_cli.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "reference" / "cli.md"
COLUMNS = 88
OPENING = """\
# Commands

Written by `docs/write_cli.py`; a test keeps this page and the program equal.

Exit status: 0 done, 2 you can fix it, 1 our fault ([errors](errors.md)). Results go
to files ([which](files.md)), progress to stderr, `--json` to stdout. Nothing is
overwritten without `--force`. Quote a pattern, so that mitame and not the shell
resolves it.
"""


def page() -> str:
    """Return the whole page, from the installed program."""
    from mitame.cli.main import app

    names = [command.callback.__name__ for command in app.registered_commands]
    parts = [OPENING, _section("mitame")]
    parts += [_section(f"mitame {name}", name) for name in names]
    return "\n".join(parts)


def _section(title: str, *command: str) -> str:
    return f"## {title}\n\n```text\n{_help(*command)}\n```\n"


def _help(*command: str) -> str:
    """Return the help at a fixed width, without colors."""
    # With one of these, typer takes any output for a terminal.
    forcing = {"FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"}
    kept = {name: v for name, v in os.environ.items() if name not in forcing}
    fixed = {"COLUMNS": str(COLUMNS), "TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run(  # noqa: S603 - our own program
        [Path(sys.executable).with_name("mitame"), *command, "--help"],
        env=kept | fixed | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    lines = (line.rstrip() for line in done.stdout.splitlines())
    return "\n".join(lines).strip("\n")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
