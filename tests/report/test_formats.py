"""The same numbers in every format, and no name that is taken for markup."""

import csv
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from raincheck.errors import ConfigError
from raincheck.evaluation.costs import COSTS, Cost
from raincheck.evaluation.ranking import Ranking
from raincheck.report.formats import as_csv, as_latex, as_markdown, as_table, write_table
from raincheck.report.prices import plots
from raincheck.report.tables import parts
from reports import individual, joint, matrix, ranking_of, report

HOSTILE = "<b>|a_b*&$x"


@pytest.fixture(scope="module")
def ranked() -> Ranking:
    """Averages 30, 31, 32 (mean 31, half 4.30265 / sqrt(3) = 2.4841), and 28, 30, 29; joint training at 33."""
    reports = [report("rrgnet", matrix(30.0 + seed, 0.5), seed=seed, memory_bytes=2_500_000) for seed in range(3)]
    reports += [report(HOSTILE, matrix(average, 4.0), seed=seed) for seed, average in enumerate((28.0, 30.0, 29.0))]
    return ranking_of([*reports, *(joint(33.0, seed=seed) for seed in range(3))])


def terminal(ranked: Ranking, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(as_table(ranked, "tiny"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal(ranked: Ranking) -> None:
    lines = [re.split(r"\s{2,}", line.strip()) for line in terminal(ranked).splitlines()]
    assert ["method", "average", "forgetting", "BWT", "FWT", "learned"] in lines
    assert ["rrgnet", "31.00 ± 2.48", "+0.50 ± 0.00", "−0.50 ± 0.00", "0.00 ± 0.00", "31.25 ± 2.48"] in lines
    assert ["rrgnet", "+2.00 ± 2.48", "1.0 k", "2.5 MB", "1 min 40 s", "0"] in lines
    # Differences -2, -1, -3: the same deviation of 1.
    assert [HOSTILE, "−2.00 ± 2.48", "+3.50 ± 0.00", "3", "0.148", "0.250"] in lines


def test_a_terminal_of_80_columns_shows_every_number() -> None:
    long = "distillation=unchecked,review=streaks"
    reports = [
        report(name, matrix(average, seed), seed=seed)
        for name, average in (("a", 30.0), (long, 31.0))
        for seed in range(3)
    ]
    reports += [joint(33.0, seed=seed) for seed in range(3)] + [individual(34.0, 34.0, seed=seed) for seed in range(3)]
    ranked = ranking_of(reports)
    wide, narrow = terminal(ranked), terminal(ranked, 80)
    assert long in wide and all(len(line) <= 80 for line in narrow.splitlines())
    tokens = [[word for word in text.split() if any(map(str.isdigit, word))] for text in (wide, narrow)]
    assert sorted(tokens[0]) == sorted(tokens[1])


def test_a_cost_that_is_named_in_one_place_is_in_every_table_and_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COSTS, "water_bytes", Cost("water_bytes", "bytes", "water", "What was drunk."))
    ranked = ranking_of([report("a", water_bytes=2_500_000), report("b"), report("c", water_bytes=5_000_000)])
    assert [line.split()[-2:] for line in terminal(ranked).splitlines() if line.startswith(" a ")][1] == ["2.5", "MB"]
    assert "| a | 1.0 k | 0 B | 1 min 40 s | 0 | 2.5 MB |" in as_markdown([ranked])
    rows = {row["method"]: row["water_bytes"] for row in csv.DictReader(io.StringIO(as_csv([ranked])))}
    assert rows == {"a": "2500000", "b": "", "c": "5000000"}
    assert [(plot.title, [dot.name for dot in plot.dots]) for plot in plots(ranked)] == [("water, MB", ["a", "c"])]


def test_orders_are_counted_where_there_are_any() -> None:
    bounds = ranking_of([*(joint(33.0, seed=seed) for seed in (0, 1)), *(individual(34, 34, seed=s) for s in (0, 1))])
    assert parts(bounds)[0].caption == "psnr_y in dB, mean ± half of the 95 % t-interval over 2 seeds"
    alone = ranking_of([report("rrgnet", seed=seed) for seed in (0, 1)])
    assert parts(alone)[0].caption.endswith(" over 2 seeds and 1 order")


def test_markdown(ranked: Ranking) -> None:
    text = as_markdown([ranked], "tiny")
    assert "## tiny: psnr\\_y" in text
    assert "| rrgnet | 31.00 ± 2.48 | +0.50 ± 0.00 | −0.50 ± 0.00 | 0.00 ± 0.00 | 31.25 ± 2.48 |" in text
    assert r"| \<b\>\|a\_b\*\&\$x | −2.00 ± 2.48 |" in text and HOSTILE not in text
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, "every line has as many cells as the heading"
    assert len(tables) == 3


def test_latex(ranked: Ranking) -> None:
    text = as_latex([ranked], "tiny")
    assert r"rrgnet & 31.00 $\pm$ 2.48 & +0.50 $\pm$ 0.00 & $-$0.50 $\pm$ 0.00" in text
    assert r"\textless{}b\textgreater{}\textbar{}a\_b*\&\$x & 29.00" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 3
    tables = re.findall(r"\\begin\{tabular\}\{(lr*)\}.*?\\midrule\n(.*?)\n\\bottomrule", text, re.DOTALL)
    assert len(tables) == 3
    for columns, rows in tables:
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in rows.splitlines()} == {len(columns)}


@pytest.mark.parametrize("sign", ["[", "*"])
def test_no_name_is_an_argument_of_the_command_before_it(sign: str) -> None:
    text = as_latex([ranking_of([report(f"{sign}a]"), report(f"{sign}b]", matrix(25.0))])])
    assert text.count(f"\n{{}}{sign}a] &") == 2 and f"\n{sign}" not in text


def test_csv_has_every_number_in_full(ranked: Ranking) -> None:
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(as_csv([ranked])))}
    assert list(rows) == ["rrgnet", HOSTILE, "joint"]
    found = rows[HOSTILE]
    difference = ranked.row(HOSTILE).differences["average"]
    assert float(found["average less against"]) == pytest.approx(-2)
    assert float(found["average less against p Holm"]) == difference.holm
    assert (found["metric"], found["runs"], found["against"]) == ("psnr_y", "3", "rrgnet")
    assert rows["rrgnet"]["against"] == rows["rrgnet"]["average less against"] == ""
    assert rows["joint"]["forgetting"] == rows["joint"]["memory_bytes"] == ""
    assert float(rows["rrgnet"]["memory_bytes"]) == 2_500_000


def test_one_line_a_metric_in_csv_and_one_section_in_markdown() -> None:
    reports = [report("rrgnet"), report("ewc", matrix(25.0))]
    both = [ranking_of(reports, metric) for metric in ("psnr_y", "temporal_y")]
    rows = list(csv.DictReader(io.StringIO(as_csv(both))))
    assert [(row["metric"], row["method"]) for row in rows] == [
        ("psnr_y", "rrgnet"), ("psnr_y", "ewc"), ("temporal_y", "rrgnet"), ("temporal_y", "ewc")
    ]  # fmt: skip
    assert [line for line in as_markdown(both).splitlines() if line.startswith("#")] == [
        "## psnr\\_y",
        "## temporal\\_y",
    ]


def test_costs_are_shown_once_for_all_metrics_and_gaps_for_each() -> None:
    reports = [report("rrgnet"), report("ewc", matrix(25.0)), joint(33.0)]
    both = [ranking_of(reports, metric) for metric in ("psnr_y", "temporal_y")]
    for text in (as_markdown(both), as_latex(both)):
        assert text.count("1 min 40 s") == len(reports) and text.count("gap to joint") == 2
        assert re.findall(r"gaps in \w+[^\n}]*", text.replace("\\_", "_")) == [
            "gaps in psnr_y, and costs",
            "gaps in temporal_y",
        ]
    other = ranking_of([report("rrgnet", train_seconds=50.0), report("ewc", matrix(25.0))], "psnr_y")
    assert as_markdown([*both, other]).count("50 s") == 1, "runs of another set have costs of their own"
    plain = [ranking_of([report("rrgnet")], metric) for metric in ("psnr_y", "temporal_y")]
    assert as_latex(plain).count(r"\begin{tabular}") == 3


def test_a_single_run_has_no_intervals_and_nothing_to_compare_with() -> None:
    text = terminal(ranking_of([report("rrgnet")]))
    assert "one run each" in text and "±" not in text and "p, t-test" not in text


def test_notes_are_in_every_format() -> None:
    small = {"data.thin": "a", "data.wind": "b", "stream.steps": 60}
    ranked = ranking_of([report("rrgnet"), report("small", matrix(25.0), setting=small)])
    note = "small: differs from rrgnet in stream.steps (60, not 600)"
    assert note in terminal(ranked) and f"% {note}" in as_latex([ranked])
    assert "small: differs from rrgnet in stream.steps (60, not 600)" in as_markdown([ranked])
    assert note.removeprefix("small: ") in as_csv([ranked])


def test_the_suffix_names_the_format(tmp_path: Path, ranked: Ranking) -> None:
    for suffix, beginning in ((".csv", "metric,method,runs"), (".md", "## t: psnr"), (".tex", "% needs")):
        write_table([ranked], tmp_path / f"table{suffix}", "t")
        assert (tmp_path / f"table{suffix}").read_text().startswith(beginning)
    with pytest.raises(ConfigError) as error:
        write_table([ranked], tmp_path / "table.doc")
    assert str(error.value) == f"{tmp_path / 'table.doc'} does not name a table; end it with .csv, .md, .tex"
