"""metrics.csv: a row a step, also after an interruption."""

import csv
from contextlib import suppress
from pathlib import Path

import pytest

from raincheck.errors import OutputError
from raincheck.tracking.table import TableTracker, read_rows


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_logged_at_one_step_becomes_one_row(tmp_path: Path) -> None:
    table = TableTracker(tmp_path / "logs" / "metrics.csv")
    name = 'b, "c"\n'
    for metrics, step in (({"a": 1.5}, 1), ({name: 2.0}, 1), ({"a": 3.0}, 2), ({"a": 4.0}, 2)):
        table.log_metrics(metrics, step)
    table.save()
    assert [row["step"] for row in rows(table.path)] == ["1", "1", "2", "2"]
    table.close(True)
    assert rows(table.path) == [{"step": "1", "a": "1.5", name: "2.0"}, {"step": "2", "a": "4.0", name: ""}]


def test_a_new_column_keeps_the_rows(tmp_path: Path) -> None:
    table = TableTracker(tmp_path / "metrics.csv")
    for step in range(5):
        table.log_metrics({"a": float(step)}, step)
    table.log_metrics({"b": 9.0}, 4)
    table.log_metrics({"a": 5.0, "b": 1.0}, 5)
    table.close(True)
    found = rows(table.path)
    assert [row["a"] for row in found] == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0"]
    assert [row["b"] for row in found] == ["", "", "", "", "9.0", "1.0"]


@pytest.mark.parametrize("again", [0, 4])
def test_a_table_that_goes_on_equals_one_that_was_never_stopped(tmp_path: Path, again: int) -> None:
    """Stopped at step 6, gone on from a checkpoint at step 4; first the scores of step 0 or 4 are logged again."""

    def log(table: TableTracker, steps: range) -> TableTracker:
        for step in steps:
            table.log_metrics({"loss": 1 / (1 + step)}, step)
            if step % 4 == 0:
                table.log_metrics({"score": float(step)}, step)
        return table

    log(TableTracker(tmp_path / "whole.csv"), range(10)).close(True)
    log(TableTracker(tmp_path / "stopped.csv"), range(7)).save()  # and killed
    goes_on = TableTracker(tmp_path / "stopped.csv")
    goes_on.log_metrics({"score": float(again)}, again)
    log(goes_on, range(5, 10)).close(True)
    assert (tmp_path / "stopped.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_what_was_saved_outlives_the_process_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    table = TableTracker(tmp_path / "metrics.csv")
    table.log_metrics({"a": 1.25}, 1)
    table.log_metrics({"a": 2.5}, 2)
    table.save()
    killed = table.path.read_bytes()
    assert killed == b"step,a\n1,1.25\n2,2.5\n"
    (tmp_path / "torn.csv").write_bytes(killed[:-2])  # the number was 2.5, not 2.
    assert read_rows(tmp_path / "torn.csv") == [{"step": "1", "a": "1.25"}]
    table.close(True)


def test_a_file_of_somebody_else_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(b"\xff\xfe,x\n1\n")
    table = TableTracker(tmp_path / "metrics.csv")
    table.log_metrics({"a": 1.0}, 0)
    table.close(True)
    assert rows(table.path) == [{"step": "0", "a": "1.0"}]


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(OutputError, match=r"^cannot write .*/logs/metrics.csv: File exists; choose a place with free "):
        TableTracker(tmp_path / "logs" / "metrics.csv").log_metrics({"a": 1.0}, 0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("rows_more", [1, 10_000], ids=["when it is saved", "when a buffer is full"])
def test_a_full_disk_is_one_sentence_and_keeps_what_was_saved(tmp_path: Path, rows_more: int) -> None:
    table = TableTracker(tmp_path / "metrics.csv")
    table.log_metrics({"a": 1.0}, 0)
    table.save()
    assert table._file is not None
    table._file.close()
    table._file = Path("/dev/full").open("a")  # noqa: SIM115 (its buffer may fail again when it is closed)
    with pytest.raises(OutputError) as caught:
        for step in range(rows_more):
            table.log_metrics({"a": 2.0}, step)
        if rows_more == 1:
            table.save()
    with suppress(OSError):
        table._file.close()
    assert str(caught.value) == f"cannot write {table.path}: No space left on device; choose a place with free space"
    assert rows(table.path) == [{"step": "0", "a": "1.0"}]
