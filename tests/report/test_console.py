import io

import pytest
from rich.console import Console

from raincheck.errors import InputError
from raincheck.report import numbers
from raincheck.report.console import print_matrix

REPORT = {
    "method": "[red]ewc",
    "tasks": ["thin", "[b]wind"],
    "metrics": {"psnr_y": {"R": [[20.0, 21.0], [30.0, 22.5], [27.0, None]]}},
}


def test_matrix_in_the_terminal() -> None:
    console = Console(file=io.StringIO(), width=100)
    print_matrix(REPORT, console)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    lines = [line.replace("│", " ").split() for line in stream.getvalue().splitlines()]
    assert ["[red]ewc:", "psnr_y,", "dB"] in lines, "names are no markup"
    assert ["before", "training", "20.00", "21.00"] in lines
    assert ["after", "thin", "30.00", "22.50"] in lines
    assert ["after", "[b]wind", "27.00", "–"] in lines
    assert ["average", "–", "dB"] in lines
    assert ["forgetting", "+3.00,", "BWT", "−3.00,", "FWT", "+1.50"] in lines


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(InputError, match="no metric 'ssim_y'; it has psnr_y"):
        print_matrix(REPORT, Console(file=io.StringIO()), "ssim_y")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.change(-0.001, "psnr_y"), "0.00"),
        (numbers.change(-0.0312, "ssim_y"), "−0.0312"),
        (numbers.change(1.5, "psnr_y"), "+1.50"),
        (numbers.score(None, "psnr_y"), "–"),
        (numbers.count(999), "999"),
        (numbers.count(1_000), "1.0 k"),
        (numbers.count(12_345), "12.3 k"),
        (numbers.count(100_000), "0.10 M"),
        (numbers.count(920_000), "0.92 M"),
        (numbers.size(0), "0 B"),
        (numbers.size(1_000), "1.0 kB"),
        (numbers.size(1_500), "1.5 kB"),
        (numbers.size(33_600_000), "33.6 MB"),
        (numbers.duration(44.6), "45 s"),
        (numbers.duration(59.7), "1 min 00 s"),
        (numbers.duration(3_600), "1 h 00 min"),
        (numbers.duration(7_500), "2 h 05 min"),
    ],
)
def test_numbers(written: str, expected: str) -> None:
    assert written == expected
