import json
import re
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from raincheck.errors import InputError, OutputError
from raincheck.report import write_report

FINETUNE = [[20.0, 21.0, 22.0], [30.0, 22.0, 23.0], [25.0, 31.0, 24.0], [24.0, 26.0, 32.0]]
RRGNET = [[20.0, 21.0, 22.0], [30.5, 22.0, 23.0], [30.25, 30.0, 24.5], [30.0, 29.5, 31.0]]
JOINT = [[20.0, 21.0, 22.0], [None] * 3, [None] * 3, [31.0, 30.5, 31.5]]
HOSTILE = '<script>alert("x")</script>'
Make = Callable[..., Path]


class Page(HTMLParser):
    """The page as a browser sees it: elements in order, and the tables' texts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements must nest"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data
        if {"td", "th"} & set(self.open[-2:]):
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(runs: list[Path], **arguments: Any) -> Page:
    out = runs[0].parent / "report.html"
    write_report(runs, out, **arguments)
    return Page(out)


def test_headline_table(make_run: Make) -> None:
    page = report([make_run("finetune"), make_run("rrgnet", RRGNET), make_run("joint", JOINT)])
    header, *rows = page.tables[0]
    assert header[:6] == ["method", "average, dB", "forgetting", "BWT", "FWT", "gap to joint"]
    assert [row[:6] for row in rows] == [
        ["finetune", "27.33", "+5.50", "−5.50", "+1.50", "+3.67"],
        ["rrgnet", "30.17 (best)", "+0.50 (best)", "−0.50 (best)", "+1.75 (best)", "+0.83 (best)"],
        ["joint", "31.00", "–", "–", "–", "–"],
    ]
    assert header[6:] == ["parameters", "review memory", "training"]
    assert [row[6:] for row in rows] == [["0.41 M", "8.0 MB", "3 min 20 s"]] * 3


def test_matrices_and_their_shades(make_run: Make) -> None:
    page = report([make_run("finetune"), make_run("joint", JOINT)])
    finetune, joint = page.tables[1:3]
    assert finetune[0] == ["", "thin", "dense", "wind"]
    assert finetune[1] == ["before training", "20.00", "21.00", "22.00"]
    assert finetune[4] == ["after wind", "24.00", "26.00", "32.00"]
    assert joint[2] == ["after thin", "–", "–", "–"]
    cells = [cell for cell in page.all("td") if "shade" in (cell.get("style") or "")]
    # "thin" goes from 20 to 31 (joint) over both runs, "dense" from 21 to 31, "wind" from 22 to 32.
    shades = [float((cell["style"] or "").removeprefix("--shade: ")) for cell in cells[:12]]
    ends = [(20, 31), (21, 31), (22, 32)]
    expected = [(v - low) / (high - low) for row in FINETUNE for v, (low, high) in zip(row, ends, strict=True)]
    assert shades == pytest.approx(expected, abs=6e-4)
    learned = [cell for cell in cells if "learned" in (cell["class"] or "")]
    assert [(cell["style"] or "") for cell in learned[:1]] == ["--shade: 0.909"]


def test_lower_is_better_turns_shades_and_best(make_run: Make) -> None:
    metrics = {"temporal_y": {"R": [[9.0, 9.0], [2.0, 8.0], [4.0, 3.0]]}}
    worse = {"temporal_y": {"R": [[9.0, 9.0], [2.0, 8.0], [6.0, 3.0]]}}
    runs = [make_run(n, tasks=["a", "b"], metrics=m) for n, m in (("good", metrics), ("bad", worse))]
    page = report(runs)
    good, bad = page.tables[0][1:]
    assert good[:4] == ["good", "3.50 (best)", "+2.00 (best)", "−2.00 (best)"]
    assert bad[:4] == ["bad", "4.50", "+4.00", "−4.00"]
    shades = [cell["style"] for cell in page.all("td") if "shade" in (cell.get("style") or "")]
    assert shades[0] == "--shade: 0.000" and shades[2] == "--shade: 1.000"


def test_psnr_y_leads_and_every_metric_is_there(make_run: Make) -> None:
    page = report([make_run("finetune")])
    assert page.text.index("Scores in psnr_y") < page.text.index("Other metrics") < page.text.index("ssim_y")
    assert page.tables[3][1:] and "0.5000" in str(page.tables[3])


def test_frames_of_several_runs_stand_side_by_side(make_run: Make) -> None:
    first = {"wind_00007_rainy.png": 1, "wind_00007_derained.png": 2, "wind_00007_clean.png": 3}
    other = first | {"wind_00007_derained.png": 4}
    elsewhere = {"thin_00001_rainy.png": 5, "thin_00001_derained.png": 6, "notes.png": 9}
    runs = [make_run("finetune", pictures=first), make_run("rrgnet", pictures=other | elsewhere)]
    page = report(runs)
    images = page.all("img")
    assert [image["alt"] for image in images] == [
        "thin, frame 1: rainy",
        "thin, frame 1: rrgnet",
        "wind, frame 7: rainy",
        "wind, frame 7: finetune",
        "wind, frame 7: rrgnet",
        "wind, frame 7: clean",
    ]
    shown = [b64decode((image["src"] or "").removeprefix("data:image/png;base64,")) for image in images]
    assert shown[4] == (runs[1] / "frames" / "wind_00007_derained.png").read_bytes()


def test_pictures_are_shown_under_their_tasks_own_names(make_run: Make) -> None:
    run = make_run(
        "ewc",
        tasks=["z/1: thin", "dense", "wind"],
        pictures={"dense_00001_clean.png": 1, "z-1--thin_00001_clean.png": 2},
    )
    assert [image["alt"] for image in report([run]).all("img")] == [
        "z/1: thin, frame 1: clean",
        "dense, frame 1: clean",
    ]


def test_nothing_is_fetched_and_no_name_becomes_markup(make_run: Make) -> None:
    folder = make_run(
        "run",
        method=HOSTILE,
        tasks=[HOSTILE, 'a" onload="x', "c"],
        pictures={"<b>_00001_rainy.png": 1, "&_1_clean.png": 2},
    )
    (folder / "config.yaml").write_text(HOSTILE)
    page = report([folder, make_run("other")], title=HOSTILE)
    assert not {"script", "link", "iframe", "object", "b", "base"} & {tag for tag, _ in page.elements}
    attributes = [(name, value) for _, attrs in page.elements for name, value in attrs.items()]
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert all((value or "").startswith("data:") for name, value in attributes if name in {"src", "href", "xlink:href"})
    assert "http" not in re.sub("http-equiv", "", (folder.parent / "report.html").read_text())
    assert page.text.count(HOSTILE) > 5


def test_labels_tell_runs_apart(make_run: Make) -> None:
    runs = [
        make_run("a", method="ewc", seed=0),
        make_run("b", method="ewc", seed=1),
        make_run("c", method="ewc", seed=1),
        make_run("d", method="lwf"),
    ]
    labels = [row[0] for row in report(runs).tables[0][1:]]
    assert labels == ["ewc, seed 0", f"ewc, seed 1, {runs[1]}", f"ewc, seed 1, {runs[2]}", "lwf"]


def test_runs_of_other_tasks_and_missing_costs(make_run: Make) -> None:
    runs = [
        make_run("joint", JOINT),
        make_run(
            "short", tasks=["thin", "new"], metrics={"psnr_y": {"R": [[1, 2], [3, 4], [5, None]]}}, parameters=None
        ),
    ]
    page = report(runs)
    assert page.tables[0][2] == ["short", "–", "−2.00", "+2.00", "+2.00", "–", "–", "8.0 MB", "3 min 20 s"]
    assert "runs differ in tasks or order" in page.text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not an object"),
        ('{"tasks": []}', "'metrics'"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {}}), "there are no metrics"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"psnr_y": 1}}), "not subscriptable"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"psnr_y": {"R": [[1]]}}}), "1 tasks need 2 rows"),
        (json.dumps({"method": 3, "tasks": ["a"], "metrics": {"psnr_y": {}}}), "method is not a text"),
        (json.dumps({"method": "m", "tasks": "ab", "metrics": {"psnr_y": {}}}), "tasks are not a list"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "seed": "x"}), "seed is not a number"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "data": {"a": "x"}}), "data are no lists"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        write_report([tmp_path], tmp_path / "out.html")
    assert str(tmp_path / "report.json") in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out.html").exists()


def test_a_folder_without_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_report([tmp_path / "none"], tmp_path / "out.html")
    assert str(caught.value) == (
        f"no report.json in {tmp_path / 'none'}; give the folder of a finished `raincheck run`"
    )
    with pytest.raises(InputError, match="give at least one DIR"):
        write_report([], tmp_path / "out.html")


def test_a_picture_that_is_none_is_refused(make_run: Make) -> None:
    run = make_run("finetune")
    (run / "frames" / "thin_00001_rainy.png").write_bytes(b"<svg onload='alert(1)'>")
    with pytest.raises(InputError, match=r"thin_00001_rainy\.png is no PNG image"):
        write_report([run], run / "out.html")


def test_the_file_is_replaced_whole_or_not_at_all(make_run: Make, tmp_path: Path) -> None:
    run = make_run("finetune")
    out = tmp_path / "new" / "report.html"
    write_report([run], out)
    first = out.read_bytes()
    write_report([run], out, title="Other")
    assert out.read_bytes() != first
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(OutputError, match="cannot write the report"):
        write_report([run], out.parent)  # a folder
    with pytest.raises(OutputError, match="choose a writable file name"):
        write_report([run], out / "below.html")  # below a file
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finetune", "new"]
