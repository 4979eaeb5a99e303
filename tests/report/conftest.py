import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

TASKS = ["thin", "dense", "wind"]
FINETUNE = [[20.0, 21.0, 22.0], [30.0, 22.0, 23.0], [25.0, 31.0, 24.0], [24.0, 26.0, 32.0]]


def png(level: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run's folder; keyword arguments replace entries of report.json."""

    def make(folder: str, rows: list[Any] = FINETUNE, pictures: dict[str, int] | None = None, **entries: Any) -> Path:
        run = tmp_path / folder
        (run / "frames").mkdir(parents=True)
        report = {
            "method": folder,
            "seed": 0,
            "tasks": TASKS,
            "metrics": {"ssim_y": {"R": [[0.5, 0.6, 0.7]] * 4}, "psnr_y": {"R": rows}},
            "parameters": 412_345,
            "review_bytes": 8_000_000,
            "train_seconds": 200.4,
        } | entries
        (run / "report.json").write_text(json.dumps(report))
        (run / "config.yaml").write_text(f"method: {folder} & co\n")
        for name, level in (pictures or {}).items():
            (run / "frames" / name).write_bytes(png(level))
        return run

    return make
