"""What a video file says beside its pictures, of how they are to be shown, that no file of ours says again."""

from typing import Any

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

ASIDES = {
    Type.MASTERING_DISPLAY_METADATA: "mastering display",
    Type.CONTENT_LIGHT_LEVEL: "content light level",
    Type.DYNAMIC_HDR_PLUS: "HDR10+ metadata",
    Type.DOVI_METADATA: "Dolby Vision metadata",
    Type.SPHERICAL: "spherical projection",
    Type.STEREO3D: "3D layout",
    Type.A53_CC: "closed captions",
}


def asides_of(frame: VideoFrame) -> list[str]:
    """What stands beside a frame, in words."""
    data: Any = frame.side_data  # a mapping in the stubs, whose keys are another type than they take
    return [words for kind, words in ASIDES.items() if data.get(kind) is not None]
