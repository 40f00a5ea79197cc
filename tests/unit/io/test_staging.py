import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mitame.core.errors import OutputError
from mitame.core.volume import Volume
from mitame.io import nifti, staging
from mitame.io.staging import require_outside, staged


def ours(folder: Path, text: str = "old") -> Path:
    """A result as mitame leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    marker = {"GeneratedBy": [{"Name": "mitame", "Version": "0"}]}
    (folder / "dataset_description.json").write_text(json.dumps(marker))
    (folder / "a.txt").write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_result_appears_only_when_it_is_complete(tmp_path):
    out = tmp_path / "deep" / "out"
    with staged(out) as work:
        (work / "a.txt").write_text("new")
        assert not out.exists()
        assert work.parent == out.parent
    assert names(out) == ["a.txt"]
    assert names(out.parent) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_after_a_failure_nothing_is_left(tmp_path, error):
    def killed() -> None:
        with staged(tmp_path / "out") as work:
            (work / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        killed()
    assert names(tmp_path) == []


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out") as work:
        (work / "a.txt").touch()
    assert names(tmp_path / "out") == ["a.txt"]


def test_an_old_result_stays_without_force(tmp_path):
    out = ours(tmp_path / "out")
    with pytest.raises(OutputError, match="not empty") as caught, staged(out):
        pass
    assert "--force" in caught.value.fix
    assert (out / "a.txt").read_text() == "old"


def test_force_replaces_an_old_result_as_a_whole(tmp_path):
    out = ours(tmp_path / "out")
    with staged(out, force=True) as work:
        (work / "b.txt").touch()
        assert (out / "a.txt").read_text() == "old"
    assert names(out) == ["b.txt"]
    assert names(tmp_path) == ["out"]


def test_force_keeps_the_old_result_when_the_new_one_fails(tmp_path):
    out = ours(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), staged(out, force=True):
        raise KeyboardInterrupt
    assert (out / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "marker",
    [
        None,
        "not json",
        "[]",
        '{"GeneratedBy": "mitame"}',
        '{"GeneratedBy": [{"Name": "fmriprep"}]}',
    ],
)
def test_force_never_replaces_a_folder_that_is_not_ours(tmp_path, marker):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    if marker is not None:
        (out / "dataset_description.json").write_text(marker)
    with (
        pytest.raises(OutputError, match="not written by mitame"),
        staged(out, force=True),
    ):
        pass
    assert (out / "thesis.tex").exists()


@pytest.mark.parametrize("place", ["home", "home/..", "."])
def test_force_never_replaces_the_home_or_the_current_folder(
    tmp_path, monkeypatch, place
):
    home = ours(ours(tmp_path / "all") / "home")
    monkeypatch.setattr(Path, "home", lambda: home)
    here = ours(tmp_path / "all" / "here")
    monkeypatch.chdir(here if place == "." else tmp_path)
    out = Path() if place == "." else tmp_path / "all" / place
    with pytest.raises(OutputError, match="current or home"), staged(out, force=True):
        pass
    assert (home / "a.txt").exists()
    assert (here / "a.txt").exists()


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="is a file"), staged(tmp_path / "out"):
        pass


def test_the_top_of_a_disk_is_refused():
    with pytest.raises(OutputError, match="top of a disk"), staged(Path("/")):
        pass


def test_a_file_where_a_folder_should_be_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot be written"),
        staged(tmp_path / "file" / "out"),
    ):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission"), staged(tmp_path / "out"):
        pass
    tmp_path.chmod(0o700)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(OutputError, match="No space left") as caught,
        staged(tmp_path / "out"),
        Path("/dev/full").open("wb", 0) as file,
    ):
        file.write(b"x")
    assert isinstance(caught.value.__cause__, OSError)
    assert names(tmp_path) == []


def test_a_disk_that_fills_while_an_image_is_written_is_told(tmp_path, monkeypatch):
    class Full:
        def __init__(self, *args, **kwargs): ...
        def __enter__(self):
            raise OSError(errno.ENOSPC, "No space left on device")

        def __exit__(self, *args): ...

    monkeypatch.setattr(nifti.gzip, "GzipFile", Full)
    volume = Volume(np.arange(27).reshape(3, 3, 3), np.eye(4))
    with pytest.raises(OutputError, match="No space left"):
        nifti.write(tmp_path / "a.nii.gz", volume)
    assert names(tmp_path) == []


def test_a_real_disk_that_is_full_is_told(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("A small disk cannot be mounted here.")
    try:
        noise = np.random.default_rng(0).random((64, 64, 8))
        with (
            pytest.raises(OutputError, match="No space left"),
            staged(disk / "out") as work,
        ):
            nifti.write(work / "a.nii.gz", Volume(noise, np.eye(4)))
        assert names(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_unreadable_input_is_not_blamed_on_the_output(tmp_path):
    with pytest.raises(FileNotFoundError), staged(tmp_path / "out"):
        (tmp_path / "gone").read_bytes()


@pytest.mark.parametrize("error", [PermissionError, KeyboardInterrupt])
def test_when_the_swap_fails_the_old_result_comes_back(tmp_path, monkeypatch, error):
    out = ours(tmp_path / "out")
    rename = Path.rename

    def refuse(self, target):
        if "partial" in self.name:
            raise error(errno.EACCES, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    seen = OutputError if error is PermissionError else error
    with pytest.raises(seen, match="Permission"), staged(out, force=True):
        pass
    assert (out / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_what_a_killed_run_left_is_cleared(tmp_path):
    (tmp_path / f".out.partial-{dead_pid()}").mkdir()
    living = tmp_path / f".out.partial-{os.getppid()}"
    living.mkdir()
    other = tmp_path / f".out2.partial-{dead_pid()}"
    other.mkdir()
    with staged(tmp_path / "out"):
        pass
    assert names(tmp_path) == sorted([living.name, other.name, "out"])


def test_a_result_caught_in_mid_swap_comes_back(tmp_path):
    ours(tmp_path / f".out.old-{dead_pid()}")
    with pytest.raises(OutputError, match="not empty"), staged(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "a.txt").read_text() == "old"


def test_a_killed_process_leaves_the_old_result_and_the_next_one_cleans_up(tmp_path):
    out = ours(tmp_path / "out")
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from mitame.io.staging import staged\n"
        "with staged(Path(sys.argv[1]), force=True) as work:\n"
        "    (work / 'b').touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(out)])
    assert names(out) == ["a.txt", "dataset_description.json"]
    assert len(names(tmp_path)) == 2
    with staged(out, force=True) as work:
        (work / "c").touch()
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("out", ["in", "in/out", ".", "in/../in"])
def test_an_output_may_not_touch_an_input(tmp_path, out):
    (tmp_path / "in").mkdir()
    with pytest.raises(OutputError, match="overlap"):
        require_outside(tmp_path / out, [tmp_path / "in"])


def test_an_output_beside_an_input_is_fine(tmp_path):
    require_outside(tmp_path / "in2", [tmp_path / "in", tmp_path / "a.nii.gz"])


def test_windows_never_signals_a_process(monkeypatch):
    monkeypatch.setattr(staging.os, "name", "nt")
    monkeypatch.setattr(staging.os, "kill", lambda *_: pytest.fail("signaled"))
    assert staging._is_running(1)
