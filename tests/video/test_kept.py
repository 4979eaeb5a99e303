"""What a derained file keeps of its input: colours, times, shape, sound, subtitles, chapters and tags."""

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import ExifTags, Image

from raincheck import derain
from raincheck.errors import RaincheckWarning
from raincheck.video.reading.times import Times
from raincheck.video.writing import encoders
from tinyvideo import noise, read_video, smooth, write_video

BLOCKS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def blocks(height: int, width: int) -> np.ndarray:
    """Three frames of saturated stripes: a wrong matrix moves them by 10 to 30 grey levels."""
    frame = np.repeat(np.array(list(BLOCKS.values()), np.uint8), -(-width // 3), axis=0)[:width]
    return np.broadcast_to(frame, (3, height, width, 3)).copy()


def tagged(path: Path, size: tuple[int, int], name: str, tags: dict[str, int], pix_fmt: str = "yuv420p") -> Path:
    """Stripes stored with a matrix and range, of which the file says `tags` only."""
    matrix, full = {"601": (5, False), "709": (1, False), "2020": (9, False), "709 full": (1, True)}[name]
    with av.open(str(path), "w") as file:
        track: Any = file.add_stream("libx264", rate=25, options={"crf": "5"})
        track.height, track.width = size
        track.pix_fmt = pix_fmt
        for key, value in tags.items():
            setattr(track.codec_context, key, value)
        for index, pixels in enumerate(blocks(*size)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=2 if full else 1)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            frame.colorspace, frame.color_range = tags.get("colorspace", 2), tags.get("color_range", 0)
            file.mux(track.encode(frame))
        file.mux(track.encode())
    return path


def planes(path: Path) -> np.ndarray:
    """Stored luma and chroma, without any conversion of colours."""
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray() for frame in file.decode(video=0)]).astype(int)


def codes(path: Path) -> tuple[int, int, int, int]:
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        return tuple(map(int, (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)))  # type: ignore[return-value]


BT709_TAGS = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
BT2020_TAGS = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize(
    ("size", "name", "tags", "expected"),
    [
        ((720, 96), "601", {"colorspace": 6, "color_primaries": 6, "color_trc": 6}, (6, 6, 6, 1)),
        ((720, 960), "709", {}, (1, 2, 2, 1)),
        ((96, 96), "601", {}, (6, 2, 2, 1)),
        ((96, 96), "709", BT709_TAGS, (1, 1, 1, 1)),
        ((96, 96), "2020", BT2020_TAGS, (9, 9, 16, 1)),
        ((96, 96), "709 full", {**BT709_TAGS, "color_range": 2}, (1, 1, 1, 2)),
    ],
    ids=["601", "untagged HD", "untagged SD", "709", "2020 PQ", "full range"],
)
def test_colours_neither_shift_nor_lose_their_tags(
    tmp_path: Path, output: str, size: tuple[int, int], name: str, tags: dict[str, int], expected: tuple[int, ...]
) -> None:
    path = tagged(tmp_path / "a.mp4", size, name, tags)
    derain(path, tmp_path / output, weights="identity", crf=5)
    assert codes(tmp_path / output) == expected
    # The stored numbers are the same, and what is said about them is: so is every player's picture.
    change = np.abs(planes(tmp_path / output) - planes(path))
    assert np.quantile(change, 0.98) <= 1 and change[:, : size[0]].mean() < 0.35
    # And the picture that deraining saw had the true colours.
    (seen,) = derain(path, weights="identity", end="1f")
    wide = size[1]
    for index, colour in enumerate(BLOCKS.values()):
        np.testing.assert_allclose(seen[size[0] // 2, wide * (2 * index + 1) // 6], colour, atol=4)


def times(path: Path) -> list[float]:
    with av.open(str(path)) as file:
        return [float(frame.pts * frame.time_base) for frame in file.decode(video=0)]


@pytest.mark.parametrize("source", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("output", ["b.mp4", "b.mov", "b.mkv", "b.webm"])
def test_variable_frame_rate_keeps_every_frame_and_its_time(tmp_path: Path, source: str, output: str) -> None:
    stamps = [0, 1, 2, 10, 11, 30, 31, 60]
    path = write_video(tmp_path / source, smooth(8), times=stamps)
    derain(path, tmp_path / output, weights="identity")
    expected = np.array(stamps) / 25
    np.testing.assert_allclose(np.array(times(tmp_path / output)) - times(tmp_path / output)[0], expected, atol=0.0011)
    assert np.abs(read_video(tmp_path / output).astype(int) - read_video(path)).mean() < 2


def test_avi_which_has_no_times_comes_as_near_as_its_rate_allows(tmp_path: Path) -> None:
    stamps = [0, 3, 4, 10, 30, 31, 50]  # twenty-fifths of a second
    path = write_video(tmp_path / "a.mkv", smooth(7), times=stamps)
    derain(path, tmp_path / "b.avi", weights="identity")
    with av.open(str(tmp_path / "b.avi")) as file:
        assert [
            round(float(packet.dts * packet.time_base) * 25) for packet in file.demux(video=0) if packet.size
        ] == stamps


@pytest.mark.parametrize("output", ["b.mp4", "b.mov", "b.mkv", "b.webm"])
def test_the_last_frame_lasts_as_long_as_it_did(tmp_path: Path, output: str) -> None:
    first, *others = [Image.fromarray(frame) for frame in smooth(6)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[100] * 5 + [3000])
    derain(tmp_path / "a.gif", tmp_path / output, weights="identity")
    with av.open(str(tmp_path / output)) as file:
        assert file.duration == pytest.approx(3_500_000, abs=10_000)  # microseconds
    assert times(tmp_path / output) == pytest.approx([0.1 * index for index in range(6)], abs=1e-3)


@pytest.mark.parametrize("between", [1, 2])  # with 1 the frame that is shown last is stored last too
def test_the_last_frame_of_an_mp4_lasts_until_its_track_ends(
    tmp_path: Path, between: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There frames say how long what is stored at their place lasts, which is another where the order differs."""
    order = {"x264-params": f"bframes={between}:b-adapt=0:b-pyramid=none"}
    monkeypatch.setitem(encoders.SETTINGS, "libx264", order)  # type: ignore[arg-type]
    first, *others = [Image.fromarray(frame) for frame in smooth(9)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=[100, 300, 100, 600] * 2 + [2000])
    derain(tmp_path / "a.gif", tmp_path / "b.mp4", weights="identity")
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert any(packet.pts != packet.dts for packet in file.demux(video=0) if packet.size)
    for output in ("c.mp4", "c.mkv"):
        derain(tmp_path / "b.mp4", tmp_path / output, weights="identity", codec="mpeg4")
        with av.open(str(tmp_path / output)) as file:
            assert file.duration == pytest.approx(4_200_000, abs=10_000)  # microseconds


def test_a_video_that_begins_late_lasts_no_longer(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(3), times=[50, 51, 52])
    derain(path, tmp_path / "b.mkv", weights="identity")
    with av.open(str(tmp_path / "b.mkv")) as file:
        assert file.duration == pytest.approx(120_000, abs=10_000)  # microseconds


@pytest.mark.parametrize("source", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
@pytest.mark.parametrize("output", ["b.mp4", "b.mkv", "b.avi"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60)])
def test_a_constant_rate_stays_exact(tmp_path: Path, source: str, output: str, rate: Fraction) -> None:
    path = write_video(tmp_path / source, smooth(12), codec="mpeg4" if source == "a.avi" else "libx264", fps=rate)
    derain(path, tmp_path / output, weights="identity")
    with av.open(str(tmp_path / output)) as file:
        assert file.streams.video[0].average_rate == rate
    assert len(read_video(tmp_path / output)) == 12


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", smooth(3), aspect=Fraction(64, 45))
    for output in ("b.mp4", "b.mkv"):
        derain(tmp_path / "a.mp4", tmp_path / output, weights="identity")
        with av.open(str(tmp_path / output)) as file:
            assert file.streams.video[0].sample_aspect_ratio == Fraction(64, 45)


@pytest.mark.parametrize(
    ("output", "kept"),
    [("x264.mkv", True), ("mpeg4.mkv", True), ("ffv1.mkv", False), ("b.webm", False), ("out", False)],
)
def test_pixels_that_are_not_square_are_named_where_that_is_lost(
    tmp_path: Path, output: str, kept: bool, recwarn: pytest.WarningsRecorder
) -> None:
    codec: Any = {"codec": output[:-4]} if output in ("mpeg4.mkv", "ffv1.mkv") else {}
    for aspect, said in ((Fraction(64, 45), not kept), (Fraction(1), False)):
        path = write_video(tmp_path / "a.mp4", smooth(3), aspect=aspect)
        derain(path, tmp_path / output, weights="identity", overwrite=True, **codec)
        assert [f"the pixels of {path} are not square" in notice for notice in notices(recwarn)] == [True] * said
        recwarn.clear()
        if kept:
            assert av.open(str(tmp_path / output)).streams.video[0].sample_aspect_ratio == aspect


SUBTITLES = "1\n00:00:00,200 --> 00:00:00,500\nIt rains.\n\n2\n00:00:01,000 --> 00:00:01,400\nNo more.\n"


def film(path: Path, sound: str = "aac", subtitles: bool = False, seconds: int = 2) -> Path:
    """A video with a rising tone, a language, a title, two chapters, and subtitles if wanted."""
    subtitled = av.open(str(write_text(path.with_suffix(".srt"))))
    with subtitled, av.open(str(path), "w") as file:
        pictures: Any = file.add_stream("libx264", rate=25)
        pictures.height, pictures.width, pictures.pix_fmt = 48, 64, "yuv420p"
        tone: Any = file.add_stream(sound, rate=48000)
        tone.metadata["language"] = "fra"
        file.metadata["title"] = "Pluie"
        words = file.add_stream_from_template(subtitled.streams.subtitles[0]) if subtitles else None
        millisecond = Fraction(1, 1000)
        file.set_chapters(
            [
                {"id": i, "start": 1000 * i, "end": 1000 * (i + 1), "time_base": millisecond, "metadata": {"title": t}}
                for i, t in enumerate(["wet", "dry"])
            ]
        )
        for index, pixels in enumerate(smooth(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(pictures.encode(frame))
        for frame in tones(tone, 48000 * seconds):
            file.mux(tone.encode(frame))
        for track in (pictures, tone):
            file.mux(track.encode())
        for packet in subtitled.demux() if words is not None else ():
            if packet.size:
                packet.stream = words  # type: ignore[assignment]
                file.mux(packet)
    return path


def write_text(path: Path) -> Path:
    path.write_text(SUBTITLES)
    return path


def tones(track: Any, samples: int) -> Iterator[av.AudioFrame]:
    size = 960
    for start in range(0, samples, size):
        at = np.arange(start, start + size) / 48000
        wave = (0.3 * np.sin(2 * np.pi * (300 + 200 * at) * at)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield frame


def payload(path: Path, kind: str = "audio") -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(p) for p in file.demux(*[s for s in file.streams if s.type == kind]) if p.size]


def onset(path: Path) -> dict[str, float]:
    """Seconds of the first packet of each kind of track."""
    with av.open(str(path)) as file:
        found: dict[str, float] = {}
        for packet in file.demux():
            if packet.pts is not None:
                found.setdefault(packet.stream.type, float(packet.pts * packet.time_base))
    return found


@pytest.mark.parametrize(
    ("source", "sound", "output"),
    [
        ("a.mp4", "aac", "b.mp4"),
        ("a.mp4", "aac", "b.mov"),
        ("a.mp4", "aac", "b.mkv"),
        ("a.mkv", "libopus", "b.webm"),
        ("a.mkv", "libopus", "b.mp4"),
        ("a.mov", "pcm_s16le", "b.mov"),
        ("a.mkv", "libmp3lame", "b.avi"),
    ],
)
def test_sound_is_copied_bit_for_bit_and_in_step(tmp_path: Path, source: str, sound: str, output: str) -> None:
    path = film(tmp_path / source, sound)
    derain(path, tmp_path / output, weights="identity")
    assert payload(tmp_path / output) == payload(path) != []
    before, after = onset(path), onset(tmp_path / output)
    assert after["audio"] - after["video"] == pytest.approx(
        before["audio"] - before["video"], abs=0.03 if output != "b.avi" else 0.1
    )
    with av.open(str(tmp_path / output)) as file:
        assert file.metadata["title"] == "Pluie"
        if output != "b.avi":
            assert file.streams.audio[0].metadata["language"] == "fra"
            assert [c["metadata"]["title"] for c in file.chapters()] == ["wet", "dry"]
            assert [float(c["start"] * c["time_base"]) for c in file.chapters()] == [0, 1]  # type: ignore[operator]


def test_sound_that_an_edit_list_has_cut_off_does_not_come_back(tmp_path: Path) -> None:
    """Cutting without encoding keeps packets before the cut, which the edit list hides; Matroska has none."""
    with (
        av.open(str(film(tmp_path / "a.mp4"))) as whole,
        av.open(str(tmp_path / "cut.mp4"), "w", options={"avoid_negative_ts": "disabled"}) as file,
    ):
        copies = {track.index: file.add_stream_from_template(track) for track in whole.streams if track.type != "data"}
        for packet in whole.demux(*(whole.streams[index] for index in copies)):
            if packet.size and packet.dts is not None and packet.pts is not None:
                earlier = round(Fraction(4, 5) / packet.time_base)
                packet.dts, packet.pts = packet.dts - earlier, packet.pts - earlier
                packet.stream = copies[packet.stream.index]
                file.mux(packet)
    derain(tmp_path / "cut.mp4", tmp_path / "b.mkv", weights="identity")
    began = onset(tmp_path / "b.mkv")
    assert began["video"] - began["audio"] < 0.11
    assert len(read_video(tmp_path / "b.mkv")) == len(read_video(tmp_path / "cut.mp4")) == 30


def test_sound_of_a_transport_stream_goes_into_mp4(tmp_path: Path) -> None:
    """There, AAC has headers of its own, and time begins at some other point than 0."""
    path = film(tmp_path / "a.ts")
    derain(path, tmp_path / "b.mp4", weights="identity")
    with av.open(str(path)) as before, av.open(str(tmp_path / "b.mp4")) as after:
        samples = [sum(f.samples for f in file.decode(audio=0)) for file in (before, after)]
    assert samples[0] == samples[1] > 90_000
    assert onset(tmp_path / "b.mp4")["video"] == pytest.approx(0, abs=0.05)


def test_sound_that_is_damaged_inside_is_left_out_and_told(tmp_path: Path) -> None:
    path, content = film(tmp_path / "a.ts"), bytearray((tmp_path / "a.ts").read_bytes())
    sound = [
        at for at in range(0, len(content), 188) if int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF == 257
    ]
    for at in sound[len(sound) // 2 :][:4]:  # the first half of what it carries
        content[at + 20 : at + 100] = bytes(80)
    path.write_bytes(content)
    with pytest.warns(RaincheckWarning) as told:
        derain(path, tmp_path / "b.mp4", weights="identity")
    expected = (
        f"the sound or subtitles of {path} are damaged: what is broken is left out; copy or download the file again"
    )
    assert [str(warning.message) for warning in told] == [expected]
    with av.open(str(path)) as before, av.open(str(tmp_path / "b.mp4")) as after:
        packets = [sum(1 for p in file.demux(audio=0) if p.size) for file in (before, after)]
        assert packets[0] - 8 < packets[1] < packets[0]
    assert len(read_video(tmp_path / "b.mp4")) == 50


def test_attachments_are_kept_in_mkv_and_told_elsewhere(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(write_video(tmp_path / "plain.mkv", smooth(5)))) as source, av.open(str(path), "w") as file:
        track = file.add_stream_from_template(source.streams[0])
        file.add_attachment("rain.ttf", "application/x-font-ttf", b"a font of some kind")
        for packet in source.demux():
            if packet.size:
                packet.stream = track
                file.mux(packet)
    derain(path, tmp_path / "b.mkv", weights="identity")
    assert not recwarn.list
    with av.open(str(tmp_path / "b.mkv")) as after:
        [font] = [stream for stream in after.streams if stream.type == "attachment"]
        assert (font.metadata["filename"], font.data) == ("rain.ttf", b"a font of some kind")  # type: ignore[attr-defined]
    for suffix, container in ((".webm", "webm"), (".mp4", "mp4")):
        derain(path, tmp_path / f"b{suffix}", weights="identity")
        assert str(recwarn.pop(RaincheckWarning).message) == (
            f"{container} cannot hold the attachment track 1 (rain.ttf) of {path}, which is left out; name a .mkv file "
            "to keep it"
        )


def test_which_tracks_are_the_default_is_kept(tmp_path: Path) -> None:
    path, marked = film(tmp_path / "a.mkv"), tmp_path / "b.mkv"
    with av.open(str(path)) as source, av.open(str(marked), "w") as file:
        tracks = [file.add_stream_from_template(source.streams[index]) for index in (0, 1, 1)]
        for track, disposition in zip(tracks, (Disposition.default, 0, Disposition.default), strict=True):
            track.disposition = disposition  # type: ignore[assignment]
        for packet in source.demux():
            if packet.size:
                packet.stream = tracks[packet.stream_index]
                file.mux(packet)
    derain(marked, tmp_path / "c.mkv", weights="identity")
    with av.open(str(marked)) as before, av.open(str(tmp_path / "c.mkv")) as after:
        expected = [track.disposition for track in before.streams]
        assert [bool(d & Disposition.default) for d in expected] == [True, False, True]
        assert [track.disposition for track in after.streams] == expected


def test_subtitles_are_copied(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", subtitles=True)
    derain(path, tmp_path / "b.mkv", weights="identity")
    assert payload(tmp_path / "b.mkv", "subtitle") == [b"It rains.", b"No more."]
    with av.open(str(tmp_path / "b.mkv")) as file:
        stamps = [float(p.pts * p.time_base) for p in file.demux(subtitles=0) if p.size and p.pts is not None]
    assert stamps == [0.2, 1.0]


@pytest.mark.parametrize(
    ("output", "left_out"),
    [("b.mp4", ["subtitle"]), ("b.webm", ["audio", "subtitle"]), ("b.avi", ["subtitle", "chapters"])],
)
def test_what_a_container_cannot_hold_is_left_out_with_a_notice(
    tmp_path: Path, output: str, left_out: list[str]
) -> None:
    path = film(tmp_path / "a.mkv", subtitles=True)
    with pytest.warns(RaincheckWarning) as notices:
        derain(path, tmp_path / output, weights="identity")
    found = [str(n.message) for n in notices if n.category is RaincheckWarning]
    assert len(found) == len(left_out)
    for message, what in zip(found, left_out, strict=True):
        assert f"cannot hold the {what} " in message and "name a .mkv file to keep " in message
    assert len(read_video(tmp_path / output)) == 50


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
def test_a_part_has_the_sound_subtitles_and_chapters_of_that_part(tmp_path: Path, output: str) -> None:
    path = film(tmp_path / "a.mkv", subtitles=output == "b.mkv")
    derain(path, tmp_path / output, weights="identity", start=0.6, end="0:01.2")
    frames = read_video(tmp_path / output)
    assert np.abs(frames.astype(int) - read_video(path)[15:30]).mean() < 2 and len(frames) == 15
    whole, part = payload(path), payload(tmp_path / output)
    first = whole.index(part[0])
    assert part == whole[first : first + len(part)]  # no gap
    assert first == pytest.approx(0.6 * 48000 / 1024, abs=2) and len(part) == pytest.approx(0.6 * 48000 / 1024, abs=2)
    assert abs(onset(tmp_path / output)["audio"]) < 0.05
    with av.open(str(tmp_path / output)) as file:
        for key, expected in (("start", [0, 0.4]), ("end", [0.4, 0.6])):
            assert [round(float(c[key] * c["time_base"]), 2) for c in file.chapters()] == expected  # type: ignore[literal-required, operator]
    if output == "b.mkv":
        assert payload(tmp_path / output, "subtitle") == [b"No more."]


def slow_film(path: Path, stamps: list[int], seconds: int) -> Path:
    """Pictures at tenths of a second, and so many seconds of sound."""
    with av.open(str(path), "w") as file:
        pictures: Any = file.add_stream("libx264", rate=10)
        pictures.height, pictures.width, pictures.pix_fmt = 48, 64, "yuv420p"
        tone: Any = file.add_stream("aac", rate=48000) if seconds else None
        for stamp, pixels in zip(stamps, smooth(len(stamps)), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 10)
            file.mux(pictures.encode(frame))
        for sound in tones(tone, 48000 * seconds):
            file.mux(tone.encode(sound))
        for track in (pictures, tone):
            file.mux(track.encode() if track else [])
    return path


def sounding(path: Path) -> float:
    """Seconds until the last sound of a file has ended."""
    with av.open(str(path)) as file:
        ends = [((p.pts or 0) + (p.duration or 0)) * p.time_base for p in file.demux(audio=0) if p.size]
    return float(max(ends, default=0))


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize(
    ("part", "seconds"),
    [
        ({"end": "1f"}, 0.1),
        ({"end": "2f"}, 0.2),
        ({"end": "3f"}, 2.3),
        ({"end": 2}, 2.0),
        ({"start": 0.2, "end": 2}, 1.8),
        ({"start": "2f", "end": "4f"}, 2.2),
        ({"start": 2.3, "end": 2.5}, 0.2),
    ],
)
def test_the_last_picture_of_a_part_stands_as_long_as_it_did_and_has_its_sound(
    tmp_path: Path, output: str, part: dict[str, Any], seconds: float
) -> None:
    """Also where pictures stand long, and in a part of one."""
    stamps = [0, 1, 2, 23, 24, 25]
    derain(slow_film(tmp_path / "a.mp4", stamps, 4), tmp_path / output, weights="identity", **part)
    assert sounding(tmp_path / output) == pytest.approx(seconds, abs=0.05)
    derain(slow_film(tmp_path / "a.mp4", stamps, 0), tmp_path / output, weights="identity", **part)
    with av.open(str(tmp_path / output)) as file:
        assert file.duration == pytest.approx(seconds * 1e6, abs=10_000)


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
@pytest.mark.parametrize("part", [{"end": "1000f"}, {"start": 0.2, "end": "7f"}, {"start": "2f", "end": "6f"}])
def test_sound_goes_on_behind_the_last_picture_where_frames_are_counted_beyond_it(
    tmp_path: Path, output: str, part: dict[str, Any]
) -> None:
    path = slow_film(tmp_path / "a.mp4", [0, 1, 2, 23, 24, 25], 4)
    derain(path, tmp_path / output, weights="identity", start=part.get("start"))
    expected = sounding(tmp_path / output)
    assert expected > 3.7
    derain(path, tmp_path / output, weights="identity", **part)
    assert sounding(tmp_path / output) == expected


@pytest.mark.parametrize("end", ["0.25", "3f"])
def test_a_part_of_a_constant_rate_keeps_the_rate(tmp_path: Path, end: str) -> None:
    path = slow_film(tmp_path / "a.mp4", list(range(10)), 1)
    derain(path, tmp_path / "b.mp4", weights="identity", end=end)
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert file.streams.video[0].average_rate == 10 and file.streams.video[0].frames == 3


@pytest.mark.parametrize("source", ["a.mkv", "a.flv"])
def test_sound_whose_times_are_rounded_goes_into_avi(tmp_path: Path, source: str) -> None:
    path = film(tmp_path / source)
    derain(path, tmp_path / "b.avi", weights="identity", start=0.8, end=1.6)
    whole, part = payload(path), payload(tmp_path / "b.avi")
    first = whole.index(part[0])
    assert part == whole[first : first + len(part)]
    assert len(part) == pytest.approx(0.8 * 48000 / 1024, abs=1)


def test_two_sound_tracks_of_which_one_is_late(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        pictures: Any = file.add_stream("libx264", rate=25)
        pictures.height, pictures.width, pictures.pix_fmt = 48, 64, "yuv420p"
        tracks: list[Any] = [file.add_stream("aac", rate=48000), file.add_stream("libopus", rate=48000)]
        for index, pixels in enumerate(smooth(25)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(pictures.encode(frame))
        for late, track in enumerate(tracks):
            for sound in tones(track, 24000):
                sound.pts = (sound.pts or 0) + 19200 * late
                file.mux(track.encode(sound))
        for track in (pictures, *tracks):
            file.mux(track.encode())
    derain(path, tmp_path / "b.mkv", weights="identity")
    with av.open(str(path)) as before, av.open(str(tmp_path / "b.mkv")) as after:
        for one, other in zip(before.streams.audio, after.streams.audio, strict=True):
            assert (one.codec_context.name, one.channels) == (other.codec_context.name, other.channels)
    assert sorted(payload(tmp_path / "b.mkv")) == sorted(payload(path))


def test_sound_that_a_folder_cannot_hold_needs_no_notice(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    derain(film(tmp_path / "a.mp4"), tmp_path / "out", weights="identity", end="3f")
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert not [w for w in recwarn if w.category is RaincheckWarning]


def test_unrelated_frames_keep_their_order(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(9), bf="3", times=[0, 2, 3, 4, 9, 10, 11, 12, 20])
    derain(path, tmp_path / "b.mp4", weights="identity", crf=4)
    assert np.abs(read_video(tmp_path / "b.mp4").astype(int) - read_video(path)).mean() < 12


@pytest.mark.parametrize(("output", "sound"), [("b.mp4", "aac"), ("b.mkv", "aac"), ("b.avi", "mp2"), ("out", "aac")])
def test_time_stamps_that_jump_back_go_on(tmp_path: Path, output: str, sound: str) -> None:
    """Recordings that were joined as files: the second begins at 0 again."""
    content = film(tmp_path / "a.ts", sound).read_bytes()
    (tmp_path / "joined.ts").write_bytes(content + content)
    with pytest.warns(RaincheckWarning, match=r"the time stamps of .*joined.ts jump back at frame (49|50); what comes"):
        derain(tmp_path / "joined.ts", tmp_path / output, weights="identity")
    if output == "out":
        assert len(list((tmp_path / "out").iterdir())) == 100
        return
    assert len(read_video(tmp_path / output)) == 100
    steps = np.diff(times(tmp_path / output))
    assert (steps > 0).all() and steps.max() < 0.09 and times(tmp_path / output)[-1] == pytest.approx(99 / 25, abs=0.05)
    with av.open(str(tmp_path / output)) as file:
        stamps = [float(p.pts * p.time_base) for p in file.demux(audio=0) if p.size and p.pts is not None]
    with av.open(str(tmp_path / "joined.ts")) as file:
        assert len(stamps) == sum(p.size > 0 for p in file.demux(audio=0))
    assert (np.diff(stamps) > 0).all() and stamps[-1] == pytest.approx(4, abs=0.1)


def test_one_time_stamp_that_is_wrong_moves_no_other() -> None:
    clock = Times(Fraction(0), Fraction(1, 90000), Fraction(25))
    found = [clock.next(3600 * n) for n in (0, 1, 2, -500, 4, 5)]
    assert found[4:] == [Fraction(4, 25), Fraction(5, 25)] and found == sorted(set(found))
    assert found[2] < found[3] < found[4]
    clock = Times(Fraction(0), Fraction(1, 90000), Fraction(25))
    # One that comes twice is put behind by what every container can tell apart.
    assert [clock.next(stamp) for stamp in (0, 3600, 3600)][2] == Fraction(1, 25) + Fraction(1, 1000)


def test_a_constant_rate_that_begins_late_stays_constant() -> None:
    """As pictures of Matroska do that wait for the delay of a sound codec."""
    clock = Times(Fraction(0), Fraction(1, 1000), Fraction(30))
    found = [clock.next(round(1000 * n / 30 + 23.2)) for n in range(100)]
    assert {after - before for before, after in pairwise(found)} == {Fraction(1, 30)}
    assert found[0] == pytest.approx(0.0232, abs=0.001)
    clock = Times(Fraction(0), Fraction(1, 1000), Fraction(30))
    rounded = [clock.next(round(1000 * n / 30 + 0.6)) for n in range(100)]  # by less than the clock counts
    assert rounded == [Fraction(n, 30) for n in range(100)]


def test_times_that_are_counted_coarsely_are_not_taken_for_a_rate() -> None:
    clock = Times(Fraction(0), Fraction(1, 10), Fraction(7))
    assert [clock.next(n) for n in (0, 1, 3, 4, 9)] == [Fraction(n, 10) for n in (0, 1, 3, 4, 9)]


def test_frames_without_time_stamps_follow_also_where_others_have_jumped_back() -> None:
    clock = Times(Fraction(0), Fraction(1, 1000), Fraction(25))
    found = [clock.next(stamp) for stamp in (5000, 5040, 0, 40, None, 120, None)]
    assert found == [Fraction(5) + Fraction(n, 25) for n in range(7)]


@pytest.mark.parametrize("output", ["b.mp4", "b.mkv"])
def test_a_tape_of_dv_has_its_rate(tmp_path: Path, output: str) -> None:
    """FFmpeg calls the ticks of such a file its average rate, 60000 a second."""
    path = write_video(tmp_path / "a.dv", smooth(5, 576, 720), "dvvideo")
    derain(path, tmp_path / output, weights="identity", end="0.16")
    with av.open(str(tmp_path / output)) as file:
        assert file.streams.video[0].average_rate == 25
        assert [float(f.pts * f.time_base) for f in file.decode(video=0)] == [0, 0.04, 0.08, 0.12]


@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.hevc", "libx265")])
def test_a_raw_recording_has_the_rate_that_its_pictures_say(tmp_path: Path, name: str, codec: str) -> None:
    """Such a file has no time stamps, and FFmpeg calls 25 its average rate, whatever it is."""
    path = write_video(tmp_path / name, smooth(10), codec, fps=10)
    derain(path, tmp_path / "b.mp4", weights="identity")
    assert times(tmp_path / "b.mp4") == pytest.approx([index / 10 for index in range(10)])
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert file.streams.video[0].average_rate == 10


def notices(recorded: pytest.WarningsRecorder) -> list[str]:
    return [str(w.message) for w in recorded if w.category is RaincheckWarning]


@pytest.mark.parametrize(("name", "codec", "form"), [("a.mov", "qtrle", "argb"), ("a.webm", "libvpx-vp9", "yuva420p")])
def test_transparent_video_is_named(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, name: str, codec: str, form: str
) -> None:
    derain(write_video(tmp_path / name, noise(3), codec, pix_fmt=form), tmp_path / "out.mp4", weights="identity")
    (notice,) = [str(warning.message) for warning in recwarn]
    assert f"out.mp4 does not keep the transparency of {tmp_path / name}" in notice


@pytest.mark.parametrize("opaque", [True, False])
def test_gifs_are_said_to_be_transparent_only_where_they_are(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, opaque: bool
) -> None:
    frames = [Image.fromarray(frame) for frame in noise(3)]
    if not opaque:
        for frame in frames:
            frame.putalpha(Image.new("L", frame.size, 0))
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    derain(tmp_path / "a.gif", tmp_path / "out.mp4", weights="identity")
    assert any("transparency" in notice for notice in notices(recwarn)) is not opaque


def test_interlaced_video_is_named(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(4), flags="+ilme+ildct", **{"x264-params": "tff=1"})
    derain(path, tmp_path / "b.mp4", weights="identity")
    (notice,) = notices(recwarn)
    assert "a.mp4 is interlaced: " in notice and "deinterlace it first" in notice


@pytest.mark.parametrize("output", ["b.avi", "out", "b.mp4"])
def test_a_rotation_that_is_lost_is_named(tmp_path: Path, output: str, recwarn: pytest.WarningsRecorder) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(4), rotation=90)
    derain(path, tmp_path / output, weights="identity")
    found = notices(recwarn)
    assert len(found) == (output != "b.mp4")
    assert all("cannot say that" in notice and "turned by 90 degrees" in notice for notice in found)


def test_tracks_that_are_never_copied_are_named(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A second track of pictures, such as a camera's other lens."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as file:
        tracks: list[Any] = [file.add_stream("libx264", rate=25) for _ in range(2)]
        for track in tracks:
            track.height, track.width, track.pix_fmt = 48, 64, "yuv420p"
        for index, pixels in enumerate(smooth(3)):
            for track in tracks:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                file.mux(track.encode(frame))
        for track in tracks:
            file.mux(track.encode())
    derain(path, tmp_path / "b.mkv", weights="identity")
    (notice,) = notices(recwarn)
    assert f"the video track 1 (h264) of {path} is left out: only its first" in notice


def test_chapters_of_mp4_are_no_track_that_is_left_out(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    derain(film(tmp_path / "a.mp4"), tmp_path / "b.mp4", weights="identity")
    assert not notices(recwarn)


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (6, -90), (8, 90), (3, 180)])
def test_video_of_a_camera_that_tags_each_picture(tmp_path: Path, orientation: int, turn: int) -> None:
    """FFmpeg tells EXIF tags beside frames, a kind that PyAV has no name for and refuses to list."""
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    with av.open(str(tmp_path / "a.avi"), "w") as file:
        track: Any = file.add_stream("mjpeg", rate=25)
        track.width, track.height, track.pix_fmt = 64, 48, "yuvj420p"
        file.start_encoding()
        for index, frame in enumerate(smooth(3)):
            content = BytesIO()
            Image.fromarray(frame).save(content, "JPEG", exif=tags)
            packet = av.Packet(content.getvalue())
            packet.stream, packet.pts, packet.dts, packet.time_base = track, index, index, Fraction(1, 25)
            file.mux(packet)
    derain(tmp_path / "a.avi", tmp_path / "b.mp4", weights="identity")
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert next(file.decode(video=0)).rotation in ((turn, -turn) if turn == 180 else (turn,))
    assert np.abs(read_video(tmp_path / "b.mp4").astype(int) - smooth(3)).mean() < 5


HDR10 = {"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1}
BRIGHTNESS = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"


def hdr(path: Path, transfer: int = 16) -> Path:
    """A video as HDR10 has it: PQ, BT.2020, 10 bits, and how bright it was made and is."""
    with av.open(str(path), "w") as file:
        track: Any = file.add_stream("libx265", rate=25, options={"x265-params": f"log-level=none:{BRIGHTNESS}"})
        track.height, track.width, track.pix_fmt = 48, 64, "yuv420p10le"
        for key, value in {**HDR10, "color_trc": transfer}.items():
            setattr(track.codec_context, key, value)
        for pixels in smooth(3):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            file.mux(track.encode(frame.reformat(format="yuv420p10le", dst_colorspace=9, dst_color_range=1)))
        file.mux(track.encode())
    return path


def test_hdr_keeps_its_tags_and_says_what_is_lost(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path, output = hdr(tmp_path / "a.mkv"), tmp_path / "b.mp4"
    derain(path, output, weights="identity", codec="libx265", pixel_format="yuv420p10le", crf=1)
    assert codes(output) == (9, 9, 16, 1)
    assert np.abs(planes(output) - planes(path)).mean() < 2  # of 1023
    assert notices(recwarn) == [f"{output} does not keep the mastering display and the content light level of {path}"]


@pytest.mark.parametrize(("transfer", "name"), [(16, "HDR (PQ)"), (18, "HDR (HLG)"), (14, "BT.2020")])
@pytest.mark.parametrize("output", ["out", None])
def test_images_and_raw_frames_cannot_say_that_colours_are_hdr(
    tmp_path: Path, output: str | None, transfer: int, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    path = hdr(tmp_path / "a.mp4", transfer)
    target: Any = None if output is None else tmp_path / output
    derain(path, target, weights="identity")
    assert (
        f"{target or 'a stream of frames'} cannot say that the colours of {path} are {name}, so that they look wrong; "
        "name a .mp4 or .mkv file, or convert the video to BT.709 first"
    ) in notices(recwarn)


@pytest.mark.parametrize("matrix", [8, 14])
def test_colours_that_cannot_be_converted_are_named_and_stay_what_they_are(
    tmp_path: Path, matrix: int, recwarn: pytest.WarningsRecorder
) -> None:
    """YCgCo and ICtCp: the numbers go through RGB and back by one matrix, and are said to be what they were."""
    path = tagged(tmp_path / "a.mp4", (96, 96), "709", {"colorspace": matrix, "color_range": 1})
    derain(path, tmp_path / "b.mp4", weights="identity", crf=5)
    assert codes(tmp_path / "b.mp4")[0] == codes(path)[0] == matrix
    assert np.quantile(np.abs(planes(tmp_path / "b.mp4") - planes(path)), 0.98) <= 1
    (notice,) = notices(recwarn)
    assert notice.startswith(
        f"{path} stores its colours by a matrix (code {matrix} of H.273) that FFmpeg does not conv"
    )
