"""Before and after pictures of a run, for people to look at."""

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from raincheck.datasets.base import Task, TestClips
from raincheck.networks import ClipNetwork
from raincheck.video.pixels import to_uint8


def save_frames(network: ClipNetwork, tasks: Sequence[Task], folder: Path) -> None:
    """Writes `{task}_{frame:05d}_{rainy|derained|clean}.png`: the middle frame of each task's first test video.

    Args:
        network: in evaluation mode, on the CPU.
        tasks: with one test video or more each.
        folder: made if it does not exist.
    """
    folder.mkdir(exist_ok=True)
    for position, task in enumerate(tasks):
        clips = TestClips(task.test[:1], window=network.window, experience=position)
        frame = len(clips) // 2
        rainy, clean, *_ = clips[frame]
        with torch.inference_mode():
            derained = network(rainy[None])[0]
        name = re.sub(r"[^\w.-]", "-", task.name)  # a task may be called anything; a file may not
        for kind, picture in {"rainy": rainy[len(rainy) // 2], "derained": derained, "clean": clean}.items():
            save_picture(picture, folder / f"{name}_{frame:05d}_{kind}.png")


def save_picture(picture: Tensor, path: Path) -> None:
    """Writes a frame `(c, h, w)`, float in [0, 1] or uint8, as a PNG."""
    Image.fromarray(rearrange(to_uint8(picture), "c h w -> h w c").numpy()).save(path)
