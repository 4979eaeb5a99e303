"""R as pictures."""

import numpy as np
import pytest
from PIL import Image

from raincheck.evaluation.matrix import Matrix
from raincheck.tracking.figures import curves, heatmap, side_by_side


@pytest.mark.parametrize("name", ["$x_{", "_hidden", "<script>", "雨"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_any_name_can_be_drawn(name: str) -> None:
    matrix = Matrix.before((name, "b"), (1.0, None)).after((2.0, 1.0))
    for draw in (heatmap, curves):
        picture = draw("psnr_y", matrix)
        assert picture.mode == "RGB" and len(np.unique(np.asarray(picture))) > 2


@pytest.mark.parametrize("higher", [True, False])
def test_the_best_score_of_a_task_is_the_darkest(higher: bool) -> None:
    """In the column of the only task: rows from top to bottom are before (worst) and after (best)."""
    matrix = Matrix(("a",), ((1.0,), (9.0,)) if higher else ((9.0,), (1.0,)), higher)
    pixels = np.asarray(heatmap("m", matrix).convert("L")).astype(int)
    height, width = pixels.shape
    column = pixels[:, int(0.85 * width)]  # beside the numbers
    assert column[int(0.65 * height)] < 150 < 220 < column[int(0.35 * height)]


def test_pictures_in_a_row() -> None:
    row = side_by_side([Image.new("RGB", (2, 3), "red"), Image.new("RGB", (4, 3), "blue")])
    assert row.size == (6, 3) and row.getpixel((1, 1)) == (255, 0, 0) and row.getpixel((2, 1)) == (0, 0, 255)
