"""Readers opened in the parent must not hang the workers that inherit them."""

from pathlib import Path

import av
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from program import PATIENCE
from raincheck.video.access.footage import VideoFile


class Frames(Dataset[torch.Tensor]):
    def __init__(self, path: Path) -> None:
        self.video = VideoFile(path)

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.video.read(index, 1)


def test_a_worker_reads_what_its_parent_has_open(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(0, 240, 20):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade, np.uint8))))
        file.mux(stream.encode())
    frames = Frames(tmp_path / "a.mp4")
    alone = [frames[i] for i in range(len(frames))]  # starts a helper here
    loader: DataLoader[torch.Tensor] = DataLoader(frames, batch_size=None, num_workers=2, timeout=PATIENCE)
    for epoch in range(2):  # the first epoch's workers have ended by the second, and freed what they held
        assert all(torch.equal(a, b) for a, b in zip(loader, alone, strict=True)), epoch
