"""Every command answers bad input with one error, and leaves all as it was."""

import pytest


def arguments_of(command, bad_path, scan, model, out):
    return {
        "info": ("info", bad_path),
        "compare": ("compare", bad_path, scan, "-o", out),
        "compare, current": ("compare", scan, bad_path, "-o", out),
        "fit": (
            *("fit", "--source", bad_path, "--target", scan),
            *("--engine", "nyul", "-o", out),
        ),
        "apply": ("apply", model, bad_path, "-o", out),
    }[command]


@pytest.mark.parametrize(
    "command", ["info", "compare", "compare, current", "fit", "apply"]
)
def test_a_bad_scan_is_told_and_nothing_is_written(
    mitame, bad, command, scan, model, tmp_path, untouched
):
    untouched()
    arguments = arguments_of(command, bad.path, scan, model, tmp_path / "out")
    result = mitame(*arguments, "--json")
    assert result.status == result.report["status"] == 2
    assert bad.what in result.report["error"]["what"]
    assert bad.path.name in result.report["error"]["what"]
    assert bad.fix in result.report["error"]["fix"]
    assert "Traceback" not in result.err
    untouched()


def test_without_json_the_error_is_on_stderr_only(mitame, tmp_path):
    result = mitame("info", tmp_path / "nothing.nii.gz")
    assert result.status == 2
    assert result.out == ""
    assert result.err.startswith("Error: There is no '")
    assert result.err.endswith("Check the name.\n")
