"""Real processes: interrupted ones end within seconds and leave no half result."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mitame.io.scan import find_scans
from mitame.run.apply import apply_model

LONGEST_S = 5.0
BUSY = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
import mitame.run.comparison

def busy(*_arguments, **_options):
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(Event().wait, 60)
        sys.stderr.write("busy\\n")
        sys.stderr.flush()
        started.result()

mitame.run.comparison.compare_visits = busy
from mitame.cli.main import run
run()
"""
"""A comparison whose worker thread cannot be interrupted, as in compiled code."""
DEAF = BUSY.replace(
    "        started.result()",
    "        __import__('hashlib').pbkdf2_hmac('sha1', b'', b'', 2**31 - 1)",
)
"""The main thread itself is in one long call of compiled code."""


def await_line(process: subprocess.Popen, words: str) -> None:
    """Read stderr up to the line that has `words`."""
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"'{words}' never came; {process.communicate()}")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("code", [BUSY, DEAF], ids=["busy", "deaf"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_comparison_ends_soon_and_leaves_nothing(
    start, scans, tmp_path, number, code
):
    before = names(tmp_path)
    pair = scans / "sub-01_T1w.nii", scans / "sub-01_T1w.nii"
    process = start("compare", *pair, "-o", tmp_path / "out", "--json", code=code)
    await_line(process, "busy")
    assert any(".out.partial" in name for name in names(tmp_path))
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < LONGEST_S
    assert process.returncode == 2
    assert json.loads(out)["error"]["what"].startswith("Interrupted")
    assert "Traceback" not in err
    assert names(tmp_path) == before


def test_a_second_ctrl_c_does_not_disturb_the_cleaning_up(start, scans, tmp_path):
    before = names(tmp_path)
    pair = scans / "sub-01_T1w.nii", scans / "sub-01_T1w.nii"
    process = start("compare", *pair, "-o", tmp_path / "out", code=BUSY)
    await_line(process, "busy")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.count("Interrupted") == 1
    assert "Traceback" not in err
    assert names(tmp_path) == before


def test_an_interrupted_demo_leaves_no_example_behind(start, scans, tmp_path):
    code = """
import shutil
import mitame.run.example
def copies(folder):
    files = [folder / f"{name}_T1w.nii" for name in "ab"]
    return [shutil.copyfile("scans/sub-01_T1w.nii", file) for file in files]
mitame.run.example.write_example = copies
"""
    before = names(tmp_path)
    process = start("demo", code=code + BUSY)
    await_line(process, "busy")
    assert names(tmp_path / "temporary")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 2
    assert names(tmp_path) == before


def test_under_nohup_a_closed_terminal_ends_nothing(start, scans, tmp_path):
    code = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{BUSY}"
    pair = scans / "sub-01_T1w.nii", scans / "sub-01_T1w.nii"
    process = start("compare", *pair, "-o", tmp_path / "out", code=code)
    await_line(process, "busy")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_batch_goes_on_and_gives_the_same(
    start, scans, model, tmp_path, number
):
    arguments = ("apply", model, scans, "--json", "-o")
    list(apply_model(model, find_scans(scans), tmp_path / "whole"))

    broken = start(*arguments, tmp_path / "broken")
    await_line(broken, "3/6")
    broken.send_signal(number)
    broken.communicate(timeout=60)
    assert broken.returncode == (2 if number != signal.SIGKILL else -number)
    left = names(tmp_path / "broken")
    assert "sub-01_desc-harmonized_T1w.nii.gz" in left
    assert "sub-06_desc-harmonized_T1w.nii.gz" not in left
    if number != signal.SIGKILL:
        assert not [name for name in left if "partial" in name]

    again = start(*arguments, tmp_path / "broken")
    report = json.loads(again.communicate(timeout=100)[0])
    assert again.returncode == 0
    rows = [row["state"] for row in report["scans"]]
    assert rows[:2] == ["done before", "done before"]
    assert rows[-1] == "done"
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_one_bad_scan_makes_the_status_2_and_is_listed_at_the_end(
    start, scans, model, tmp_path
):
    (scans / "sub-02_T1w.nii").write_bytes(b"no scan")
    process = start("apply", model, scans, "-o", tmp_path / "out")
    out, err = process.communicate(timeout=100)
    assert process.returncode == 2
    first, last = out.splitlines()
    assert first.startswith("5 of 6 in ")
    assert last.startswith("sub-02_T1w.nii: failed. 'sub-02_T1w.nii' cannot be read")
    assert "2/6 sub-02_T1w.nii" in err
    assert "Traceback" not in err


def test_the_installed_command_has_the_exit_statuses(tmp_path):
    command = Path(sys.executable).with_name("mitame")
    for arguments, status in ((("--version",), 0), (("info", "nothing"), 2)):
        done = subprocess.run([command, *arguments], capture_output=True, text=True)
        assert done.returncode == status
        assert "Traceback" not in done.stderr


def test_a_terminal_without_our_characters_gets_them_escaped(scans):
    done = subprocess.run(
        [Path(sys.executable).with_name("mitame"), "info", scans],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert "72 \\xd7 72 \\xd7 72 voxels" in done.stdout


def test_a_reader_that_stops_reading_causes_no_trace_back(start, scans):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from mitame.cli.main import run; run()"]
    done = subprocess.run(
        [*command, "info", str(scans)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
