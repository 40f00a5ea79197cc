import csv
import json
import math
from dataclasses import asdict

from mitame.evaluate.table import Row, read_rows, write_table

ROWS = [
    Row("identity", "a", "b", "T1w", "psnr", 21.5, 20.0, 23.0, 6),
    Row("identity", "a", "b", "all", "site_accuracy", 1.0, math.nan, math.nan, 6),
]


def test_a_table_is_read_back(tmp_path):
    write_table(tmp_path, ROWS, {"seed": 1})
    told = json.loads((tmp_path / "table.json").read_bytes())
    assert told["about"] == {"seed": 1}
    assert str(read_rows(told["rows"])) == str(ROWS)


def test_what_is_not_measured_is_empty(tmp_path):
    write_table(tmp_path, ROWS, {})
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first == {key: str(value) for key, value in asdict(ROWS[0]).items()}
    assert (second["value"], second["low"], second["high"]) == ("1.0", "", "")
