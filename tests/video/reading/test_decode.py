"""Reading video files once, in order."""

import weakref
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.stream import Disposition
from einops import rearrange
from PIL import Image

from hardinputs import damaged
from raincheck.errors import InputError
from raincheck.video.display import turned
from raincheck.video.reading.decode import open_stream
from raincheck.video.stream import Stream
from tinyvideo import cut, noise, read_video, smooth, write_audio, write_video

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"


def pixels(stream: Stream) -> np.ndarray:
    return rearrange(list(stream.frames()), "t c h w -> t h w c").numpy()


FORMATS = [
    ("a.mp4", "libx264", {}),
    ("a.mov", "mpeg4", {}),
    ("a.avi", "mpeg4", {}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.ts", "libx264", {}),
    ("a.m4v", "mpeg4", {}),
]


@pytest.mark.parametrize(("name", "codec", "container"), FORMATS)
def test_a_video_file_is_decoded_as_by_pyav(tmp_path: Path, name: str, codec: str, container: dict[str, str]) -> None:
    path = write_video(tmp_path / name, noise(12), codec, container=container)
    stream = open_stream(path)
    assert stream.size == (48, 64)
    assert stream.fps == 25
    assert stream.names is None
    assert stream.count() == 12
    assert stream.length in (12, None)
    np.testing.assert_array_equal(pixels(stream), read_video(path))
    np.testing.assert_array_equal(pixels(stream), read_video(path))  # from the start again


@pytest.mark.parametrize(("height", "width", "pix_fmt"), [(33, 47, "yuv444p"), (34, 46, "yuv420p"), (2, 2, "yuv420p")])
def test_small_and_odd_sizes(tmp_path: Path, height: int, width: int, pix_fmt: str) -> None:
    path = write_video(tmp_path / "a.mp4", noise(3, height, width), pix_fmt=pix_fmt)
    assert open_stream(path).size == (height, width)
    assert pixels(open_stream(path)).shape == (3, height, width, 3)


def test_one_frame(tmp_path: Path) -> None:
    stream = open_stream(write_video(tmp_path / "a.mp4", noise(1)))
    assert (stream.count(), stream.length, len(list(stream.frames()))) == (1, 1, 1)


def test_frame_rate_and_rotation_are_read(tmp_path: Path) -> None:
    stream = open_stream(write_video(tmp_path / "a.mp4", noise(5), fps=Fraction(30000, 1001), rotation=90))
    assert stream.fps == Fraction(30000, 1001)
    assert turned(stream.display) == 90
    assert stream.size == (48, 64)  # as stored


def test_variable_frame_rate_keeps_every_frame_and_the_mean_rate(tmp_path: Path) -> None:
    times = [0, 1, 2, 10, 11, 30, 31, 60]
    path = write_video(tmp_path / "a.mp4", noise(8), times=times)
    assert open_stream(path).count() == 8
    assert 5 < open_stream(path).fps < 7  # 8 frames in 60 to 66 twenty-fifths of a second
    np.testing.assert_array_equal(pixels(open_stream(path)), read_video(path))


def test_frames_are_not_held(tmp_path: Path) -> None:
    def most_alive(count: int) -> int:
        path = write_video(tmp_path / f"{count}.mp4", noise(1).repeat(count, 0), g="10")
        alive: set[int] = set()
        most = 0
        for index, frame in enumerate(open_stream(path).frames()):
            alive.add(index)
            weakref.finalize(frame, alive.discard, index)
            most = max(most, len(alive))
        return most

    assert most_alive(50) == most_alive(300) <= 2


TRUNCATED = [
    ("end.mp4", "libx264", {}),
    ("start.mp4", "libx264", {"movflags": "faststart"}),
    ("fragments.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mov", "mpeg4", {}),
    ("a.avi", "mpeg4", {}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {}),
]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("name", "codec", "container"), TRUNCATED)
def test_truncated_files_are_refused_before_any_work(
    tmp_path: Path, name: str, codec: str, container: dict[str, str], share: float
) -> None:
    path = write_video(tmp_path / name, noise(12), codec, container=container)
    assert open_stream(path).count() == 12  # the whole file is not refused
    with pytest.raises(InputError, match="is truncated: it has"):
        open_stream(cut(path, share))


def test_an_mp4_cut_before_its_index_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(12))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") - 4])  # all media, no index
    with pytest.raises(InputError, match="is truncated: its index, the moov box, is missing"):
        open_stream(path)


@pytest.mark.parametrize(("name", "codec", "container"), TRUNCATED)
def test_rubbish_after_the_end_is_no_truncation(
    tmp_path: Path, name: str, codec: str, container: dict[str, str]
) -> None:
    path = write_video(tmp_path / name, noise(12), codec, container=container)
    path.write_bytes(path.read_bytes() + bytes(500) + noise(1).tobytes()[:500])
    assert open_stream(path).count() == 12


def test_damage_in_the_middle_names_the_frame(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(InputError, match=r"is corrupt at frame [3-7] \("):
        list(open_stream(path).frames())


def test_a_live_recording_states_no_length_and_is_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(12), container={"live": "1"})
    assert open_stream(path).count() == 12


NO_VIDEO = {
    "text.mp4": (b"hello world\n" * 50, "is not a video that FFmpeg can read"),
    "text.txt": (b"hello world\n" * 50, "is not a video"),
    "noise.avi": (noise(1).tobytes(), "is not a video that FFmpeg can read"),
    "empty.mp4": (b"", "is empty"),
    "list.ffconcat": (b"ffconcat version 1.0\nfile a.mp4\n", "is not a video"),
}


@pytest.mark.parametrize("name", NO_VIDEO)
def test_files_that_are_no_video(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content, message = NO_VIDEO[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_stream(tmp_path / name)
    assert capfd.readouterr() == ("", "")  # FFmpeg keeps quiet


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.2,\nb.ts\n#EXT-X-ENDLIST\n", "hls"),
        ("a.ffconcat", "ffconcat version 1.0\nfile b.ts\n", "concat"),
    ],
)
def test_a_list_of_other_files_is_no_video(tmp_path: Path, name: str, content: str, kind: str) -> None:
    write_video(tmp_path / "b.ts", noise(5))
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"{name} is not a video \({kind}\)"):
        open_stream(tmp_path / name)


def test_a_picture_by_the_name_of_a_video_is_none(tmp_path: Path) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.mp4", "PNG")
    with pytest.raises(InputError, match=r"a.mp4 is not a video \(png_pipe\)"):
        open_stream(tmp_path / "a.mp4")


def test_a_file_that_breaks_off_where_no_length_is_stated(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.flv", noise(12)), 0.7)
    with pytest.raises(InputError, match=r"a.flv breaks off at frame [1-9]; copy or download the file again"):
        list(open_stream(path).frames())


def test_gaps_in_a_recording_are_told_once_and_passed_over(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = write_video(tmp_path / "a.ts", noise(40), "mpeg2video", g="6")
    content = path.read_bytes()
    third = len(content) // 188 // 3 * 188  # of its packets
    path.write_bytes(content[:third] + content[third + 6 * 188 : 2 * third] + content[2 * third + 6 * 188 :])
    assert 30 < len(list(open_stream(path).frames())) < 40
    (notice,) = [str(warning.message) for warning in recwarn]
    assert "a.ts is damaged at frame " in notice


def test_the_cover_of_music_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp3"), "w") as file:
        tone: Any = file.add_stream("libmp3lame", rate=44100)
        cover: Any = file.add_stream("png")
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 48, "rgb24", Disposition.attached_pic
        file.mux(cover.encode(av.VideoFrame.from_ndarray(noise(1)[0], format="rgb24")))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 44100
        for track, frame in ((tone, sound), (tone, None)):
            file.mux(track.encode(frame))
    with pytest.raises(InputError, match=r"a.mp3 has no pictures: it holds only audio; give a video file"):
        open_stream(tmp_path / "a.mp3")


def test_sound_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no pictures: it holds only audio"):
        open_stream(write_audio(tmp_path / "a.m4a"))


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no video at .*nowhere; give"):
        open_stream(tmp_path / "nowhere")


def test_a_name_with_a_colon_is_no_protocol(tmp_path: Path) -> None:
    assert open_stream(write_video(tmp_path / "a.mp4", noise(2)).rename(tmp_path / "http:b.mp4")).count() == 2


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data beside the project")
def test_no_real_clip_is_taken_for_truncated() -> None:
    clips = [*(DATA / "clean").iterdir(), *(DATA / "rainy").iterdir()]
    assert len(clips) > 10
    for path in clips:
        stream = open_stream(path)
        assert abs(stream.count() - (stream.length or 0)) <= 1, path
        assert next(stream.frames()).dtype == torch.uint8


def test_smooth_colours_survive_decoding(tmp_path: Path) -> None:
    frames = smooth(4)
    got = pixels(open_stream(write_video(tmp_path / "a.mp4", frames, crf="10")))
    assert np.abs(got.astype(int) - frames).mean() < 2
