"""The report as people use it: in a browser, at the keyboard, in a narrow window, in the dark."""

import io
import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from browser import Browser
from raincheck.report import write_report

pytestmark = pytest.mark.slow
HOSTILE = "<script>document.title='owned'</script>"
TASKS = [HOSTILE, "wind"]
ORDERS = (TASKS, TASKS[::-1])
FOCUSED = "document.activeElement"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods and a bound, two orders, two seeds; three frames of each task."""
    folder = tmp_path_factory.mktemp("page")
    for place, method in enumerate(("finetune", HOSTILE, "replay", "individual")):
        for order, tasks in enumerate(ORDERS):
            for seed in range(2):
                _write(folder / f"{place}-{order}-{seed}", method, tasks, seed, 28.0 + place)
    write_report([folder], folder / "report.html", title="A title & more")
    return folder / "report.html"


def _write(run: Path, method: str, tasks: list[str], seed: int, score: float) -> None:
    rows: list[list[float | None]] = [[20, 21], [score + seed, 22], [score - 2, score + 1.5 * seed]]
    if method == "individual":
        rows[1][1] = rows[2][0] = None
    metrics = {"psnr_y": {"R": rows}, "temporal_y": {"R": [[None if s is None else 40 - s for s in r] for r in rows]}}
    report = {"method": method, "seed": seed, "tasks": tasks, "metrics": metrics, "train_seconds": score}
    (run / "frames").mkdir(parents=True)
    (run / "report.json").write_text(json.dumps(report | {"memory_bytes": int(score * 1e5), "machine": HOSTILE}))
    (run / "config.yaml").write_text(f"method: {HOSTILE}\n" + "long: " + "x" * 300)
    for task in ("-script-document.title--owned---script-", "wind"):
        for frame in range(3):
            for kind, level in (("rainy", 40), ("derained", int(4 * score)), ("clean", 200)):
                picture = np.full((60, 90, 3), level + 5 * frame, np.uint8)
                Image.fromarray(picture).save(run / "frames" / f"{task}_{frame:05d}_{kind}.png")


@pytest.fixture(scope="module")
def shared(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def browser(shared: Browser, page: Path) -> Browser:
    shared.look()
    shared.open(page)
    return shared


def test_no_complaint_and_no_script_of_a_name(browser: Browser) -> None:
    assert browser.run("document.title") == "A title & more"
    assert browser.run("document.body.classList.contains('scripted')"), "its own script ran"
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    decoded = """Promise.all(Array.from(document.images, (image) => new Promise((done) => {
        image.loading = "eager";
        const seen = () => done(image.naturalWidth);
        image.complete ? seen() : image.addEventListener("load", seen);
    })))"""
    assert set(browser.run(decoded)) == {90}
    assert browser.complaints == []


def test_the_policy_stops_what_is_not_the_pages_own(browser: Browser) -> None:
    """So that a name that slipped through the escaping could do nothing."""
    browser.run("""
        document.body.append(Object.assign(document.createElement("script"), { text: "document.title = 'owned'" }));
        document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/pixel" }));
    """)
    assert browser.run("document.title") == "A title & more"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)


def test_something_is_painted(browser: Browser) -> None:
    pixels = np.asarray(Image.open(io.BytesIO(browser.picture())).convert("RGB"))
    assert pixels.shape == (900, 1200, 3) and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def reach(browser: Browser, selector: str) -> None:
    """Presses Tab until the first element that fits is focused."""
    for _ in range(200):
        browser.press("Tab")
        if browser.run(f"{FOCUSED} === document.querySelector('{selector}')"):
            return
    raise AssertionError(f"{selector} is out of reach of the keyboard")


def test_frames_at_the_keyboard(browser: Browser) -> None:
    """The cut is moved by arrow keys, so is time; both pictures are of the chosen frame and kinds."""
    shown = "Array.from(document.querySelector('.stage').querySelectorAll('img'), (image) => image.alt)"
    cut = "document.querySelector('.stage').style.getPropertyValue('--cut')"
    first = f"{HOSTILE}, frame 1: "
    assert browser.run(shown) == [f"{first}replay", f"{first}rainy"] and browser.run(cut) == "50%"
    reach(browser, ".right")
    browser.press("End")
    reach(browser, ".wipe")
    browser.press("ArrowRight", "ArrowRight")
    assert browser.run(cut) == "52%" and browser.run(f"{FOCUSED}.getAttribute('aria-valuetext')") == "52 % rainy"
    outline = browser.run("getComputedStyle(document.querySelector('.stage')).outlineStyle")
    assert outline == "solid", "it is seen where the focus is"
    browser.press("Home")
    assert browser.run(cut) == "0%"
    reach(browser, ".time")
    browser.press("ArrowRight")
    assert browser.run(shown) == [f"{HOSTILE}, frame 2: clean", f"{HOSTILE}, frame 2: rainy"]
    assert browser.run("document.querySelector('.number').textContent") == "2"
    browser.press("Tab", " ")
    assert browser.run(f"{FOCUSED}.textContent") == "Pause"
    turned = """new Promise((done) => {
        const image = document.querySelector(".under"), seen = image.alt;
        new MutationObserver(() => image.alt !== seen && done(true)).observe(image, { attributes: true });
    })"""
    assert browser.run(turned), "it plays"
    browser.press(" ")
    assert browser.run(f"{FOCUSED}.textContent") == "Play"
    assert browser.complaints == []


def test_frames_by_mouse(browser: Browser) -> None:
    browser.run("document.querySelector('.stage').scrollIntoView({ block: 'center' })")
    box = browser.run("""(({ x, y, width, height }) => [x, y, width, height])(
        document.querySelector(".stage").getBoundingClientRect())""")
    x, y, width, height = box
    browser.drag((x + width / 2, y + height / 2), (x + width * 0.9, y + height / 2))
    cut = browser.run("document.querySelector('.stage').style.getPropertyValue('--cut')")
    assert 85 <= float(cut.removesuffix("%")) <= 95


def test_legend_and_comparison_at_the_keyboard(browser: Browser) -> None:
    reach(browser, "select.against")
    seen = """Array.from(document.querySelector(".against").closest(".card").querySelectorAll("table"))
        .filter((table) => table.checkVisibility()).map((table) => table.caption.innerText)"""
    assert browser.run(seen) == ["Differences from replay in psnr_y (dB)"]
    browser.press("ArrowDown")
    assert browser.run(seen) == [f"Differences from {HOSTILE} in psnr_y (dB)"]
    reach(browser, ".legend input")
    lines = """Array.from(document.querySelector("#costs-1 ~ .view").querySelectorAll('.chart [data-series="0"]'))
        .map((line) => getComputedStyle(line).display !== "none")"""
    assert set(browser.run(lines)) == {True}
    browser.press(" ")
    assert set(browser.run(lines)) == {False}


@pytest.mark.parametrize("width", [320, 600])
def test_in_a_narrow_window_only_tables_scroll_sideways(browser: Browser, width: int) -> None:
    browser.look(width)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") == width
    outside = """Array.from(document.querySelectorAll("main *"))
        .filter((part) => !part.closest(".wide, pre, .hidden") && part.checkVisibility())
        .filter((part) => part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.outerHTML)"""
    assert browser.run(outside) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_table_that_is_cut_has_a_shadow_at_that_edge(browser: Browser, dark: bool) -> None:
    browser.look(784, dark=dark)
    wide = "document.querySelector('.wide')"
    assert browser.run(f"{wide}.scrollWidth - {wide}.clientWidth") > 20
    box = browser.run(f"(({{ right, top, width }}) => [right, top, width])({wide}.getBoundingClientRect())")
    right, top, width = map(int, box)

    def brightness(x: int) -> float:
        return float(np.asarray(Image.open(io.BytesIO(browser.picture())).convert("L"), int)[top + 8, x])

    inside = brightness(right - width // 2)
    assert brightness(right - 4) < inside - 4, "there is more to the right"
    browser.run(f"{wide}.scrollLeft = {wide}.scrollWidth")
    assert brightness(right - 4) == inside, "this is the end"


def test_dark_where_the_reader_prefers_it(browser: Browser) -> None:
    def brightness() -> float:
        colour = browser.run("getComputedStyle(document.body).backgroundColor")
        return float(np.mean([int(part) for part in colour.strip("rgb()").split(",")]))

    assert brightness() > 200
    browser.look(dark=True)
    assert brightness() < 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_against_wcag(browser: Browser, dark: bool) -> None:
    """Names, roles, labels, headings and the contrast of text, by axe-core; graphs' colours, by WCAG's own formula."""
    browser.look(dark=dark)
    browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    browser.run((resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    rules = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }"
    found: dict[str, Any] = browser.run(f"axe.run({rules})")
    violations = found["violations"]
    broken = {rule["id"]: [node["html"] + node["failureSummary"] for node in rule["nodes"]] for rule in violations}
    assert broken == {}
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    inks = browser.run(
        "Array.from(document.querySelectorAll('.dot'), (dot) => getComputedStyle(dot).fill).concat("
        "getComputedStyle(document.querySelector('select')).borderTopColor)"
    )
    card = browser.run("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert min(contrast(ink, card) for ink in inks) >= 3, "WCAG 1.4.11"


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio of two colours `rgb(r, g, b)`."""
    low, high = sorted(luminance([int(part) / 255 for part in text.strip("rgb()").split(",")]) for text in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(channels: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_without_scripts_all_is_there(shared: Browser, page: Path) -> None:
    shared.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        shared.open(page)
        shown = "Array.from(document.querySelectorAll('{}')).filter((part) => part.checkVisibility()).length"
        assert shared.run(shown.format(".needs-script")) == 0
        assert shared.run(shown.format("#differences-1 + p + .card table")) == 4
        assert shared.run("document.querySelectorAll('.frames img').length") == 2 * 3 * (2 + 4)
    finally:
        shared.command("Emulation.setScriptExecutionDisabled", value=False)


def test_a_single_run_is_a_page_too(shared: Browser, make_run: Callable[..., Path]) -> None:
    run = make_run("ewc", pictures={"thin_00001_rainy.png": 9, "thin_00001_derained.png": 99})
    write_report([run], run / "page.html")
    shared.open(run / "page.html")
    assert shared.complaints == []
    assert shared.run("document.querySelector('.play').checkVisibility()") is False, "there is but one frame"
    assert shared.run("document.querySelector('.under').alt") == "thin, frame 1: ewc"


@pytest.mark.parametrize("count", [2, 3, 7])
def test_long_names_are_cut_within_drawings_and_begin_beside_their_marks(
    shared: Browser, make_run: Callable[..., Path], count: int
) -> None:
    tasks = [f"{number}-heavy_wind_with_mist_and_snow" for number in range(count)]
    rows = [[20.0 + learned - task for task in range(count)] for learned in range(count + 1)]
    runs = [
        make_run(
            f"{cost}-distillation=reviewed,review=streaks,memory=4MB",
            rows,
            tasks=tasks,
            metrics={"psnr_y": {"R": rows}},
            memory_bytes=cost * 1_000_000,
        )
        for cost in (1, 4, 9)
    ]
    write_report(runs, runs[0] / "page.html")
    shared.look()
    shared.open(runs[0] / "page.html")
    outside = """Array.from(document.querySelectorAll(".chart text")).filter((text) => {
        const own = text.getBoundingClientRect(), all = text.closest("svg").getBoundingClientRect();
        return own.left < all.left || own.right > all.right || own.bottom > all.bottom;
    }).map((text) => text.outerHTML)"""
    assert shared.run(outside) == []
    over = """Array.from(document.querySelectorAll(".chart")).flatMap((chart) => {
        const boxes = Array.from(chart.querySelectorAll("text:not(.name)"), (text) => text.getBoundingClientRect());
        return boxes.filter((a, i) => boxes.slice(i + 1).some((b) =>
            a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)); }).length"""
    assert shared.run(over) == 0
    beside = """Array.from(document.querySelectorAll("th > .row-key")).map((mark) => {
        const name = document.createRange(); name.selectNodeContents(mark.parentNode.lastChild);
        return mark.getBoundingClientRect().top - name.getBoundingClientRect().top < 12
            && mark.getBoundingClientRect().right <= name.getBoundingClientRect().left
            && mark.getBoundingClientRect().left >= mark.parentNode.getBoundingClientRect().left; })"""
    assert shared.run(beside) == [True] * 3
