"""Removing the rain from video: what `derain` does, and the stream beneath it."""

from raincheck.deraining.api import Video, derain
from raincheck.deraining.engine import Engine, choose_device, network_on
from raincheck.deraining.passing import derain_frames, derain_pairs
from raincheck.deraining.showing import Progress

__all__ = ["Engine", "Progress", "Video", "choose_device", "derain", "derain_frames", "derain_pairs", "network_on"]
