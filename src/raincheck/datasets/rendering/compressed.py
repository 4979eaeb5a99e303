"""What compression leaves of rain: clips as cameras, phones and published data sets store them."""

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image
from torch import Tensor

JPEG = (50, 96)  # quality, from and below
CRF = (18, 31)  # of x264
# Its macroblock tree reads memory that it has not written, and a clip must be a function of its seed alone.
X264 = {"preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}


def compress(clips: Sequence[Tensor], rng: np.random.Generator) -> list[Tensor]:
    """Clips as they come back from a lossy file, all from one kind of file of one quality.

    Half of the files are JPEG sequences, half H.264. To compress the clean twin too leaves it to a network to remove
    rain alone, and not what compression did: that would change video that has no rain.

    Args:
        clips: uint8 `(t, 3, h, w)` each.
        rng: decides kind and quality; always draws the same number of values.
    """
    still, quality, crf = rng.random() < 0.5, int(rng.integers(*JPEG)), int(rng.integers(*CRF))
    return [as_jpegs(clip, quality) if still else as_video(clip, crf) for clip in clips]


def as_jpegs(clip: Tensor, quality: int) -> Tensor:
    """A clip, uint8 `(t, 3, h, w)`, each of whose frames was a JPEG file of that quality, 1 to 95."""
    frames = []
    for pixels in rearrange(clip, "t c h w -> t h w c").numpy():
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        frames.append(np.array(Image.open(file)))
    return rearrange(torch.from_numpy(np.stack(frames)), "t h w c -> t c h w").contiguous()


def as_video(clip: Tensor, crf: int) -> Tensor:
    """A clip, uint8 `(t, 3, h, w)`, that was H.264 of that constant rate factor (0 to 51, less is better).

    Colours in blocks of 2x2 pixels want even sides, so odd ones are a pixel longer in the file.
    """
    height, width = clip.shape[-2:]
    clip = F.pad(clip, (0, width % 2, 0, height % 2), "replicate")
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.height, encoder.width, encoder.pix_fmt = clip.shape[-2], clip.shape[-1], "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = {"crf": str(crf), **X264}
    frames = [
        av.VideoFrame.from_ndarray(pixels, format="rgb24")
        for pixels in rearrange(clip, "t c h w -> t h w c").contiguous().numpy()
    ]
    for number, frame in enumerate(frames):
        frame.pts = number
    decoder = av.VideoCodecContext.create("h264", "r")
    packets = [packet for frame in [*frames, None] for packet in encoder.encode(frame)]
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    shown = torch.from_numpy(np.stack([frame.to_ndarray(format="rgb24") for frame in decoded]))
    return rearrange(shown, "t h w c -> t c h w")[..., :height, :width].contiguous()
