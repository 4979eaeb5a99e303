"""`raincheck report` as its users call it."""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from program import environment, finish
from raincheck.cli import main
from raincheck.errors import InputError
from raincheck.report.reading import read_runs

Make = Callable[..., Path]
BETTER = [[20.0, 21.0, 22.0], [30.5, 22.0, 23.0], [30.25, 30.0, 24.5], [30.0, 29.5, 31.0]]


def test_the_same_numbers_in_the_terminal_and_in_every_file(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [make_run("finetune"), make_run("rrgnet", BETTER)]
    files = [tmp_path / f"all.{suffix}" for suffix in ("html", "csv", "md", "tex")]
    outs = [part for file in files for part in ("--out", str(file))]
    assert main(["report", *map(str, runs), *outs, "--title", "Mine"]) == 0
    printed = capsys.readouterr().out
    for text in (printed, *(file.read_text() for file in files if file.suffix != ".csv")):
        assert text.index("30.17") < text.index("27.33"), "the best is first"
    assert all(f"written: {file}" in printed for file in files)
    rows = list(csv.DictReader(files[1].open()))
    assert [(row["metric"], row["method"]) for row in rows[:2]] == [("psnr_y", "rrgnet"), ("psnr_y", "finetune")]
    assert {row["metric"] for row in rows} == {"psnr_y", "ssim_y"}
    assert float(rows[1]["average less against"]) == pytest.approx((24 + 26 + 32) / 3 - (30 + 29.5 + 31) / 3)
    assert "<h1>Mine</h1>" in files[0].read_text() and "## Mine: psnr" in files[2].read_text()


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\r", "\x7f", "\x9b", "\ud800"], ids=ascii)
def test_what_cannot_be_shown_is_replaced(
    make_run: Make, tmp_path: Path, sign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names in a report.json that came from elsewhere command no terminal, and every file can be written."""
    name = f"a{sign}[31mb"
    versions, tasks = {name: name}, [name, "dense", "wind"]
    run = make_run("one", method=name, tasks=tasks, versions=versions, data={name: [name]}, machine=name, commit=name)
    files = [tmp_path / f"all.{suffix}" for suffix in ("html", "csv", "md", "tex")]
    assert main(["report", str(run), *(part for file in files for part in ("--out", str(file)))]) == 0
    for text in (capsys.readouterr().out, *(file.read_bytes().decode() for file in files)):
        assert sign not in text and "a\ufffd" in text


def test_numbers_of_any_size_are_shown_or_refused(make_run: Make, tmp_path: Path) -> None:
    extremes = [0.0, 5e-324, -9e11, 9e11]
    rows = [[number, 1.0, number] for number in extremes]
    runs = [make_run(f"{i}", rows, parameters=number, seed=10**30) for i, number in enumerate((5e-324, 1e39, -1.0, 0))]
    files = [tmp_path / f"all.{suffix}" for suffix in ("html", "csv", "md", "tex")]
    assert main(["report", *map(str, runs), *(part for file in files for part in ("--out", str(file)))]) == 0


@pytest.mark.parametrize("suffix", [".html", ".csv", ".md", ".tex"])
def test_a_folder_that_is_missing_is_made_or_named(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    run, file = make_run("finetune"), tmp_path / "a" / "b" / f"c{suffix}"
    assert main(["report", str(run), "--out", str(file)]) == 0 and file.is_file()
    below = file / f"d{suffix}"
    assert main(["report", str(run), "--out", str(below)]) == 2
    sentence = f"cannot write {below}: {file} is not a folder that can be written to; choose another place"
    assert capsys.readouterr().err == f"raincheck: error: {sentence}\n"


def test_another_metric_and_another_opponent(make_run: Make, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(make_run("finetune")), str(make_run("rrgnet", BETTER))]
    assert main(["report", *runs, "--metric", "ssim_y", "--against", "finetune"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "ssim_y, one run each" in printed and "differences in ssim_y from finetune" in printed


def test_a_run_without_the_metric_is_left_out_and_named_everywhere(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [make_run("finetune"), make_run("rrgnet", BETTER), make_run("old", metrics={"psnr_y": {"R": BETTER}})]
    files = [tmp_path / f"all.{suffix}" for suffix in ("html", "md", "tex")]
    outs = [part for file in files for part in ("--out", str(file))]
    assert main(["report", *map(str, runs), "--metric", "ssim_y", "--against", "old", *outs]) == 0
    note = "left out, because their reports have no ssim_y: old (seed 0)"
    printed, page, *texts = (
        " ".join(text.split()) for text in (capsys.readouterr().out, *(f.read_text() for f in files))
    )
    assert f"note: {note}" in printed and "differences in ssim_y from" in printed
    assert all(note in text.replace("\\_", "_") for text in (page, *texts))


def test_sets_that_cannot_be_compared_are_printed_apart(make_run: Make, capsys: pytest.CaptureFixture[str]) -> None:
    tasks = ["thin", "dense", "snow"]
    runs = [make_run("finetune"), make_run("rrgnet", BETTER), make_run("elsewhere", tasks=tasks)]
    assert main(["report", *map(str, runs), "--against", "finetune"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.index("set 1 of 2: psnr_y") < printed.index("set 2 of 2: psnr_y")
    assert "the 2 sets cannot be compared, because their tasks or data differ" in printed
    assert printed.count("differences in") == 1, "nobody to compare the third with"


def test_the_opponent_of_several_sets_is_looked_for_in_all_and_is_the_pages_too(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks, page = ["thin", "dense", "snow"], tmp_path / "page.html"
    runs = [make_run("finetune"), make_run("rrgnet", BETTER), make_run("a", tasks=tasks)]
    runs.append(make_run("b", tasks=tasks, method="b, 2"))
    assert main(["report", *map(str, runs), "--against", "finetune", "--out", str(page)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "note: finetune is not in set 2, which is compared with its best method" in printed
    assert "<option selected>finetune</option>" in page.read_text() and "<option>rrgnet</option>" in page.read_text()
    assert main(["report", *map(str, runs), "--against", "finetoon", "--out", str(tmp_path / "no.html")]) == 2
    sentence = "there is no 'finetoon' to compare with; choose one of 'finetune', 'rrgnet', 'a', 'b, 2'"
    assert capsys.readouterr().err == f"raincheck: error: {sentence}\n" and not (tmp_path / "no.html").exists()


def test_who_is_alone_is_compared_with_nobody(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"all.{suffix}" for suffix in ("html", "csv", "md", "tex")]
    outs = [part for file in files for part in ("--out", str(file))]
    assert main(["report", str(make_run("finetune")), "--against", "finetune", *outs]) == 0
    assert "differences" not in capsys.readouterr().out + files[2].read_text() + files[3].read_text()


def test_single_reports_are_taken(make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, rows in (("finetune", BETTER), ("rrgnet", BETTER)):
        (make_run(name, rows) / "report.json").rename(tmp_path / f"{name}.json")
    assert main(["report", str(tmp_path / "finetune.json"), str(tmp_path / "rrgnet.json")]) == 0
    assert "differences in psnr_y from" in " ".join(capsys.readouterr().out.split())
    assert main(["report", str(tmp_path / "absent.json")]) == 2
    assert f"cannot read {tmp_path / 'absent.json'} (" in capsys.readouterr().err


def test_names_in_brackets_are_no_markup_of_the_terminals(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [make_run("finetune", method="[b]"), make_run("elsewhere", tasks=["thin", "dense", "snow"])]
    page = tmp_path / "of [red].html"
    assert main(["report", *map(str, runs), "--against", "[b]", "--out", str(page)]) == 0
    printed = capsys.readouterr().out
    assert f"written: {page}\n" in printed and "note: [b] is not in set 2, " in printed


def test_lines_of_reports_end_where_json_lines_end(make_run: Make, tmp_path: Path) -> None:
    """Not at other ends of lines within texts, which JSON leaves as they are; and empty lines say nothing."""
    names = ["a\u2028b", "c\x85d"]
    reports = [json.loads((make_run(str(n), method=name) / "report.json").read_text()) for n, name in enumerate(names)]
    lines, table = tmp_path / "runs.jsonl", tmp_path / "table.csv"
    text = "\r\n\n".join(json.dumps(report | {"config": None}, ensure_ascii=False) for report in reports)
    lines.write_bytes(f"{text}\n\n".encode())
    assert main(["report", str(lines), "--out", str(table)]) == 0
    with table.open(newline="") as file:
        assert {row["method"] for row in csv.DictReader(file)} == {"a\u2028b", "c\ufffdd"}
    assert [run.config for run in read_runs([lines])] == ["", ""]


@pytest.mark.parametrize("again", ["one", "one/report.json", "one/../one", "link", "link/report.json", "."])
def test_a_run_that_is_given_twice_is_refused_however_it_is_named(
    again: str, make_run: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run("one").parent
    monkeypatch.chdir(folder)
    make_run("two", BETTER)
    if "link" in again:
        Path("link").symlink_to("one")
    assert main(["report", "one", "two", again]) == 2
    named = "one" if again == "." else again
    error = f"raincheck: error: a run is given twice, as one and {named}; leave one out\n"
    assert capsys.readouterr().err == error
    assert main(["report", "two", "two/report.json"]) == 2
    assert main(["report", "two", "one"]) == 0


def test_a_line_that_was_cut_short_is_named(make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, line = tmp_path / "runs.jsonl", (make_run("one") / "report.json").read_text()
    for number, text, sentence in (
        (
            2,
            f"{line}\n{line[:40]}",
            "; if it was cut short by a power failure, give the command again that adds to the",
        ),
        (1, f"{line[:40]}\n{line}", "; run it again or leave it out"),
    ):
        lines.write_text(text)
        assert main(["report", str(lines)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"raincheck: error: {lines}, line {number} is not a report") and error.count("\n") == 1
        assert sentence in error


def test_lines_that_are_given_twice_are_refused(make_run: Make, tmp_path: Path) -> None:
    lines = tmp_path / "all.jsonl"
    lines.write_text((make_run("one") / "report.json").read_text().replace("\n", " ") + "\n")
    with pytest.raises(InputError) as error:
        read_runs([lines, lines])
    assert str(error.value) == f"a run is given twice, as {lines}, line 1 and {lines}, line 1; leave one out"


def test_of_lines_about_one_run_the_last_counts(make_run: Make, tmp_path: Path) -> None:
    """As for `ablate --record`: records of two machines that began alike are put together by joining them."""
    begun, more = (
        json.loads((make_run(f"{seed}", seed=seed, method="ewc") / "report.json").read_text()) for seed in (0, 1)
    )
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text(json.dumps({"id": "a", **begun}) + "\n")
    lines = [json.dumps({"id": name, **report, "machine": "other"}) for name, report in (("a", begun), ("b", more))]
    other.write_text("\n".join(lines) + "\n")
    joined = tmp_path / "joined.jsonl"
    joined.write_text(one.read_text() + other.read_text())
    for paths in ([joined], [one, other]):
        found = read_runs(paths)
        assert [(run.name, run.seed, run.machine) for run in found] == [("ewc", 0, "other"), ("ewc", 1, "other")]


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("latin-1", "utf-8"))]
)
def test_a_terminal_that_cannot_show_a_sign_is_no_reason_to_end(make_run: Make, tmp_path: Path, encoding: str) -> None:
    table = tmp_path / os.fsdecode(b"caf\xe9.csv")  # a name from the days before UTF-8
    runs = [make_run("finetune"), make_run("rrgnet", BETTER)]
    done = finish(
        [sys.executable, "-m", "raincheck", "report", *runs, "--out", table],
        env=environment(PYTHONIOENCODING=encoding),
        encoding=encoding,
    )
    assert (done.returncode, done.stderr) == (0, "") and table.exists()
    minus = "\u2212" if encoding == "utf-8" else r"\u2212"
    assert f"{minus}5.50" in done.stdout
    assert r"caf\udce9.csv" in done.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--out", "r.doc"], "r.doc is neither a page nor a table; end it with .html, .csv, .md, .tex"),
        (["--against", "si"], "there is no 'si' to compare with; choose one of 'finetune'"),
        (["--metric", "vmaf"], "no report of finetune has a metric 'vmaf'; choose one of psnr_y, ssim_y"),
    ],
)
def test_mistakes_write_nothing(
    make_run: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    page = tmp_path / "page.html"
    assert main(["report", str(make_run("finetune")), "--out", str(page), *options]) == 2
    assert capsys.readouterr().err == f"raincheck: error: {sentence}\n" and not page.exists()
