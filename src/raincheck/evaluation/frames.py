"""Before and after, as pictures and as short videos, for people to look at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from raincheck.datasets.base import Task
from raincheck.datasets.clips import TestClips
from raincheck.networks import ClipNetwork
from raincheck.video.pixels import to_uint8
from raincheck.video.stream import FOLDER_RATE
from raincheck.video.writing.encode import open_writer
from raincheck.video.writing.look import Look

Pictures = dict[str, dict[str, Path]]


def save_frames(
    network: ClipNetwork, tasks: Sequence[Task], folder: Path, names: Mapping[str, str], count: int = 8
) -> Pictures:
    """Writes `{name}_{frame:05d}_{rainy|derained|clean}.png`: the middle of each task's first test video.

    Args:
        network: in evaluation mode, on the CPU.
        tasks: with one test video or more each.
        names: of files, by task.
        folder: made if it does not exist.
        count: successive frames, if the test video has as many.

    Returns:
        The files of the middle frame, by task and kind.
    """
    folder.mkdir(exist_ok=True)
    files: Pictures = {}
    for position, task in enumerate(tasks):
        clips = TestClips(task.test[:1], window=network.window, experience=position)
        middle = len(clips) // 2
        start = max(0, min(middle - count // 2, len(clips) - count))
        for frame in range(start, min(start + count, len(clips))):
            rainy, clean, *_ = clips[frame]
            with torch.inference_mode():
                derained = network(rainy[None])[0]
            pictures = {"rainy": rainy[len(rainy) // 2], "derained": derained, "clean": clean}
            paths = {kind: folder / f"{names[task.name]}_{frame:05d}_{kind}.png" for kind in pictures}
            for kind, picture in pictures.items():
                save_picture(picture, paths[kind])
            if frame == middle:
                files[task.name] = paths
    return files


def save_videos(
    network: ClipNetwork, tasks: Sequence[Task], folder: Path, names: Mapping[str, str], frames: int = 50
) -> dict[str, Path]:
    """Writes `{name}.mp4`: the beginning of each task's first test video, rainy on the left, derained on the right.

    Args:
        network: in evaluation mode, on the CPU.
        tasks: with one test video or more each.
        names: of files, by task.
        folder: made if it does not exist.
        frames: the length, if the test video is not shorter.

    Returns:
        The file of each task.
    """
    folder.mkdir(exist_ok=True)
    files = {task.name: folder / f"{names[task.name]}.mp4" for task in tasks}
    for position, task in enumerate(tasks):
        clips = TestClips(task.test[:1], window=network.window, experience=position)
        height, width = (side // 2 * 2 for side in task.test[0].size)  # browsers want even numbers
        with open_writer(files[task.name], Look(FOLDER_RATE, (height, 2 * width))) as writer:
            for index in range(min(frames, len(clips))):
                rainy, *_ = clips[index]
                with torch.inference_mode():
                    pair = [rainy[len(rainy) // 2], network(rainy[None])[0]]
                writer.write(to_uint8(torch.cat([frame[:, :height, :width] for frame in pair], dim=-1)))
    return files


def save_picture(picture: Tensor, path: Path) -> None:
    """Writes a frame `(c, h, w)`, float in [0, 1] or uint8, as a PNG."""
    Image.fromarray(rearrange(to_uint8(picture), "c h w -> h w c").numpy()).save(path)
