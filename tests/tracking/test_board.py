"""TensorBoard's files, read back by TensorBoard."""

from pathlib import Path

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raincheck.evaluation.matrix import Matrix
from raincheck.tracking.board import BoardTracker

EVIL = "<script>alert(1)</script>"


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    return events


def test_numbers_pictures_and_configuration(tmp_path: Path) -> None:
    board = BoardTracker(tmp_path, {"method": EVIL})
    matrix = Matrix.before((EVIL, "b"), (1.0, 2.0))
    board.log_matrices({"psnr_y": matrix}, 0)
    board.log_metrics({"train/loss": 0.5}, 1)
    board.finalize("success")  # Lightning, at the end of a fit
    board.log_matrices({"psnr_y": matrix.after((5.0, 2.0))}, 1)
    board.log_pictures(EVIL, {"rainy": Image.new("RGB", (4, 4)), "derained": Image.new("RGB", (4, 4))}, 1)
    board.close(True)
    events = read(tmp_path)
    tags = events.Tags()
    assert [(e.step, e.value) for e in events.Scalars("train/loss")] == [(1, 0.5)]
    assert [(e.step, e.value) for e in events.Scalars("psnr_y/b")] == [(0, 2.0), (1, 2.0)]
    assert [(e.step, e.value) for e in events.Scalars("average/psnr_y")] == [(1, 5.0)]
    assert {"R/psnr_y", "curves/psnr_y"} < set(tags["images"]) and any("frames/" in tag for tag in tags["images"])
    assert not any("<" in tag for kind in ("scalars", "images") for tag in tags[kind])
    [text] = events.Tensors("config/text_summary")
    assert b"&lt;script&gt;" in text.tensor_proto.string_val[0] and b"<" not in text.tensor_proto.string_val[0]


def test_a_run_that_goes_on_adds_to_the_same_curve(tmp_path: Path) -> None:
    for steps in (range(7), range(4, 10)):
        board = BoardTracker(tmp_path, {})
        for step in steps:
            board.log_metrics({"loss": 2.0 * step}, step)
        board.save()  # before a checkpoint
        assert read(tmp_path).Scalars("loss")[-1].step == steps[-1]
        board.close(False)
    assert {e.step: e.value for e in read(tmp_path).Scalars("loss")} == {step: 2.0 * step for step in range(10)}
