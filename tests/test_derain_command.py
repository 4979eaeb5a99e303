"""`raincheck derain` as people type it: options, several inputs, pipes, Ctrl-C and full disks."""

import re
import signal
import subprocess
import sys
from fractions import Fraction
from io import BytesIO, TextIOWrapper
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from program import PATIENCE, RAINCHECK, environment, until
from raincheck.cli import main
from raincheck.cli.derain import parser, plain_compare
from raincheck.deraining import batch
from raincheck.deraining.api import Options
from tinyvideo import listing, noise, read_folder, read_video, smooth, write_folder, write_video
from video.test_kept import film

IDENTITY = ["--weights", "identity"]


def derain(*arguments: str | Path) -> int:
    return main(["derain", *map(str, arguments), *IDENTITY])


def program(*arguments: str | Path, **options: object) -> "subprocess.Popen[bytes]":
    words = [*RAINCHECK, "derain", *map(str, arguments), *IDENTITY]
    return subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, **options)  # type: ignore[call-overload, no-any-return]


def test_several_inputs_go_into_a_folder_under_their_names(tmp_path: Path) -> None:
    write_video(tmp_path / "A b.MP4", smooth(3))
    write_video(tmp_path / "ü.ts", smooth(4))
    write_folder(tmp_path / "frames", noise(2))
    Image.fromarray(noise(1)[0]).save(tmp_path / "photo.png")
    inputs = [tmp_path / name for name in ("A b.MP4", "ü.ts", "frames", "photo.png")]
    assert derain(*inputs, tmp_path / "out") == 0
    assert listing(tmp_path / "out") == ["A b.MP4", "frames", "photo.png", "ü.mp4"]
    assert len(read_video(tmp_path / "out" / "ü.mp4")) == 4
    np.testing.assert_array_equal(read_folder(tmp_path / "out" / "frames"), noise(2))
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "photo.png")), noise(1)[0])


def test_a_glob_is_expanded_and_the_command_can_be_repeated(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write_video(tmp_path / f"{name}.mp4", smooth(3))
    for _ in range(2):
        assert derain(tmp_path / "[ab].mp4", tmp_path / "out") == 0
        assert listing(tmp_path / "out") == ["a.mp4", "b.mp4"]
    assert derain(tmp_path / "**" / "[c].mp4", tmp_path / "one") == 0  # it fits one file; `**` may be no folder at all
    assert listing(tmp_path / "one") == ["c.mp4"]


def test_a_name_that_looks_like_a_glob_is_a_name(tmp_path: Path) -> None:
    path = write_video(tmp_path / "rain[1].mp4", smooth(3))
    assert derain(path, tmp_path / "out.mp4") == 0 and listing(tmp_path) == ["out.mp4", "rain[1].mp4"]


def test_folders_of_frames_are_called_in_results_as_they_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scene in ("one", "two"):
        (tmp_path / scene).mkdir()
        (tmp_path / f"link {scene}").symlink_to(write_folder(tmp_path / scene / "frames", noise(2)))
    monkeypatch.chdir(tmp_path / "one" / "frames")
    assert derain(".", tmp_path / "link one", tmp_path / "link two", tmp_path / "out") == 0
    assert listing(tmp_path / "out") == ["frames", "link one", "link two"]


def test_folders_of_frames_that_are_there_are_left_and_others_written(tmp_path: Path) -> None:
    folders = [write_folder(tmp_path / name, noise(3)) for name in ("a", "b")]
    (tmp_path / "out" / "b").mkdir(parents=True)
    for _ in range(2):  # the second time some of the frames are there, and no other
        assert derain(*folders, tmp_path / "out", "--start", "1f") == 0
        for name in ("a", "b"):
            np.testing.assert_array_equal(read_folder(tmp_path / "out" / name), noise(3)[1:])
    assert derain(*folders, tmp_path / "out", "--overwrite") == 0
    np.testing.assert_array_equal(read_folder(tmp_path / "out" / "a"), noise(3))


def test_no_result_takes_the_place_of_an_input(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.mp4", smooth(3))
    (tmp_path / "out").mkdir()
    frames = write_folder(tmp_path / "out" / "frames", noise(2))
    assert derain(path, frames, tmp_path / "out") == 2
    assert "out/frames: it is the input itself; choose another name" in capfd.readouterr().err
    assert listing(tmp_path / "out") == ["frames"]  # looked at before any work


@pytest.mark.slow
def test_a_killed_command_is_finished_by_the_same_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = write_folder(tmp_path / "a", noise(3))
    long = write_folder(tmp_path / "b", noise(200, 96, 128))
    film = write_video(tmp_path / "c.mp4", smooth(4))
    running = program(first, long, film, tmp_path / "out")
    until(lambda: running.poll() is not None or list(tmp_path.glob("out/.b.partial/*.png")), "a frame")
    assert running.poll() is None, running.stderr
    running.kill()
    running.wait(60)
    assert listing(tmp_path / "out") == [".b.partial", "a"]
    assert derain(first, long, film, tmp_path / "out") == 0
    assert re.search(r"notice: .*out/a holds the frames already and is left as it is; use --ov", capfd.readouterr().err)
    assert listing(tmp_path / "out") == ["a", "b", "c.mp4"]
    np.testing.assert_array_equal(read_folder(tmp_path / "out" / "b"), noise(200, 96, 128))
    (tmp_path / "out" / "a" / "mine.png").touch()
    assert derain(first, long, film, tmp_path / "out") == 2
    assert re.search(r"out/a: the folder is not empty; .*use --overwrite", capfd.readouterr().err)


def test_mistakes_with_several_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write_video(tmp_path / "a.mp4", smooth(3)), write_video(tmp_path / "b.mp4", smooth(3))
    (tmp_path / "sub").mkdir()
    again = write_video(tmp_path / "sub" / "a.mp4", smooth(3))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    before = listing(tmp_path)
    for inputs, output, message in [
        ([a, b], "c.mp4", "cannot write 2 results to .*c.mp4: it names one file; name a folder"),
        ([a, b], "c.png", "cannot write 2 results to .*c.png: it names one file; name a folder"),
        ([a, again], "out", "cannot write .*a.mp4 for both .*; derain one of them by itself"),
        ([tmp_path / "*.xyz"], "out", r"nothing fits .*\*.xyz"),
        ([a, tmp_path / "none.mp4"][::-1], "out", "there is no video at .*none.mp4"),
        ([a, b], "full", "the folder is not empty and holds thesis.tex; choose another, or use --overwrite"),
        ([a, b], "no/where", "No such file or directory"),
        ([a, b], "out.xyz", ".xyz is not written; name a .mp4, .m4v, .mov, .mkv, .webm, .avi file, or a folder with"),
        ([again], "sub/a.mp4", "it is the input itself"),
        ([a, b], ".", "not empty"),
    ]:
        assert derain(*inputs, tmp_path / output) == 2
        error = capsys.readouterr().err
        assert re.fullmatch(r"raincheck: error: [^\n]+\n", error) and re.search(message, error), error
        assert listing(tmp_path) == before
    assert derain(a, b, tmp_path / "full", "--overwrite") == 0
    assert listing(tmp_path / "full") == ["a.mp4", "b.mp4", "thesis.tex"]


def test_an_image_becomes_an_image_or_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.png")
    for name in ("b.png", "b.tif", "b.webp"):
        assert derain(tmp_path / "a.png", tmp_path / name) == 0
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / name)), noise(1)[0])
    assert derain(tmp_path / "a.png", tmp_path / "out") == 0 and listing(tmp_path / "out") == ["a.png"]
    assert derain(write_video(tmp_path / "a.mp4", noise(2)), tmp_path / "c.png") == 2
    assert "one image holds no video" in capsys.readouterr().err
    assert derain(write_folder(tmp_path / "in.png", noise(2)), tmp_path / "c.png") == 2
    assert "c.png: an image holds one frame; name a video file or a folder" in capsys.readouterr().err
    assert listing(tmp_path) == ["a.mp4", "a.png", "b.png", "b.tif", "b.webp", "in.png", "out"]


def test_compare_may_stand_anywhere(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(30))
    for index, words in enumerate([["--compare"], ["--compare", "side"]]):
        out = tmp_path / str(index)
        assert derain(*words, folder, out) == 0
        assert read_folder(out).shape == (30, 48, 128, 3)
    assert derain("--compare", "wipe", folder, tmp_path / "wipe") == 0
    wiped = read_folder(tmp_path / "wipe")
    white = [(frame == 255).all(axis=(0, 2)).argmax() for frame in wiped]
    assert white == sorted(white) and white[0] == 0 and white[-1] > 30  # the line moves to the right
    assert (wiped != noise(30)).any(axis=(1, 3)).sum(axis=1).max() <= 1  # and hides nothing but itself
    assert plain_compare(["a", "--compare", "b"]) == ["a", "--compare=side", "b"]
    assert plain_compare(["a", "b", "--compare"]) == ["a", "b", "--compare=side"]


@pytest.mark.parametrize(
    ("words", "frames"),
    [
        (["--start", "2f", "--end", "5f"], slice(2, 5)),
        (["--start", "0.17"], slice(5, None)),
        (["--end", "0:00.2"], slice(0, 5)),
        (["--start", "0.2", "--end", "8f"], slice(5, 8)),
        (["--end", "99"], slice(0, None)),
    ],
)
def test_a_part(tmp_path: Path, words: list[str], frames: slice) -> None:
    folder = write_folder(tmp_path / "in", noise(10))
    assert derain(folder, tmp_path / "out", *words) == 0
    np.testing.assert_array_equal(read_folder(tmp_path / "out"), noise(10)[frames])
    assert listing(tmp_path / "out") == listing(folder)[frames]


def test_a_part_of_images_begins_a_video_at_its_beginning(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(10))
    assert derain(folder, tmp_path / "out.mp4", "--start", "4f") == 0
    with av.open(str(tmp_path / "out.mp4")) as file:
        assert [frame.pts * frame.time_base for frame in file.decode(video=0)] == [Fraction(n, 25) for n in range(6)]


def test_tags_need_not_be_utf_8(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", noise(3), tags={"title": "Mxller"})
    path.write_bytes(path.read_bytes().replace(b"Mxller", "Müller".encode("latin-1")))
    assert derain(path, tmp_path / "b.mkv") == 0
    assert len(read_video(tmp_path / "b.mkv")) == 3


def test_encoder_options(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    sizes = {}
    for crf in (10, 40):
        assert derain(path, tmp_path / f"{crf}.mp4", "--crf", str(crf)) == 0
        sizes[crf] = (tmp_path / f"{crf}.mp4").stat().st_size
    assert sizes[10] > 2 * sizes[40]
    assert derain(path, tmp_path / "b.mkv", "--codec", "ffv1", "--pixel-format", "bgr0") == 0
    np.testing.assert_array_equal(read_video(tmp_path / "b.mkv"), read_video(path))  # lossless
    assert derain(path, tmp_path / "c.mp4", "--codec", "libx265", "--pixel-format", "yuv420p10le") == 0
    with av.open(str(tmp_path / "c.mp4")) as file:
        track = file.streams.video[0]
        assert (track.codec_context.name, track.pix_fmt, track.codec_tag) == ("hevc", "yuv420p10le", "hvc1")
    assert derain(write_folder(tmp_path / "in", noise(3)), tmp_path / "d.mp4", "--fps", "30000/1001") == 0
    with av.open(str(tmp_path / "d.mp4")) as file:
        assert file.streams.video[0].average_rate == Fraction(30000, 1001)


def test_chroma_at_half_resolution_needs_even_sizes_and_encoders_without_it_have_their_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "in", noise(2, 33, 47))
    assert derain(folder, tmp_path / "b.mp4", "--pixel-format", "yuv420p") == 2
    assert "libx264 cannot write 47x33 in yuv420p; use the pixel format yuv444p" in capfd.readouterr().err
    assert derain(write_folder(tmp_path / "even", noise(2)), tmp_path / "b.mov", "--codec", "prores_ks") == 0
    with av.open(str(tmp_path / "b.mov")) as file:
        assert file.streams.video[0].pix_fmt == "yuv422p10le"


def test_an_encoder_that_talks_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("FFmpeg has no such encoder here")
    assert derain(write_video(tmp_path / "a.mp4", noise(4)), tmp_path / "b.mp4", "--codec", "libsvtav1") == 0
    assert "Svt" not in capfd.readouterr().err


MISTAKES = {
    "codec": (["--codec", "abacus"], "FFmpeg has no video encoder 'abacus' here"),
    "sound": (["--codec", "aac"], "FFmpeg has no video encoder 'aac' here"),
    "pixels": (["--pixel-format", "abacus"], "libx264 does not write the pixel format 'abacus'"),
    "crf": (["--codec", "mpeg4", "--crf", "3"], "mpeg4 knows no constant quality"),
    "negative crf": (["--crf", "-1"], "--crf cannot be -1 with libx264; give 0, the best, to 51"),
    "too high a crf": (["--crf", "52"], "--crf cannot be 52 with libx264; give 0, the best, to 51"),
    "too high for VP9": (
        ["--codec", "libvpx-vp9", "--crf", "64"],
        "--crf cannot be 64 with libvpx-vp9; give 0, the best, to 63",
    ),
    "a crf that is none": (
        ["--codec", "libsvtav1", "--crf", "0"],
        "--crf cannot be 0 with libsvtav1; give 1, the best, to 63",
    ),
    "moment": (["--start", "soon"], "'soon' is not a moment"),
    "early moment": (["--start", "-1"], "'-1' is before the video begins; give 0 or more"),
    "endless moment": (["--start", "1e99999999"], "'1e99999999' is not a moment"),
    "empty part": (["--start", "9"], "has no frame between --start and --end"),
    "backwards": (["--start", "3f", "--end", "2f"], "has no frame between --start and --end"),
    "precision": (["--precision", "fp64"], "there is no precision 'fp64'; use one of fp32, bf16"),
    "tile": (["--tile", "round"], "there is no tile 'round'; use auto, none, or a number"),
    "compare": (["--compare=both"], "invalid choice: 'both'"),
    "compare and a space": (["--compare", "both"], "there is no comparison 'both'; use side or wipe behind --compare"),
    "unknown option": (["--foo"], "unrecognized arguments: --foo; see raincheck derain --help"),
    "size": (["--size", "big"], "'big' is not a size such as 640x480"),
    "size of a file": (["--size", "64x48"], "--size is for raw frames from -; leave it out"),
    "rate of a video": (["--fps", "30"], "a.mp4 is a video, which has a rate of its own; leave it out"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistaken_option_is_one_line_and_leaves_nothing(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    words, message = MISTAKES[name]
    assert derain(path, tmp_path / "b.mp4", *words) == 2
    error = capfd.readouterr().err
    assert re.fullmatch(r"raincheck: error: [^\n]+\n", error) and message in error
    assert listing(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("words", "output", "message"),
    [
        (["--codec", "libx264"], "out", "--codec is for video files, which .*out is not; leave it out"),
        (["--fps", "0"], "out", "0 frames per second show nothing"),
        (["--fps", "0.0001"], "out", "1/10000 frames per second show nothing"),
        (["--fps", "1e10"], "out", "10000000000 frames per second show nothing"),
        (["--fps", "1e99999999"], "out", "'1e99999999' is not a rate"),
        (["--crf", "0"], "b.png", "--crf is for video files, which .*b.png is not; leave it out"),
        (["--pixel-format", "yuv444p"], "-", "--pixel-format is for video files, which raw frames are not; leave it"),
        (["--overwrite"], "-", "--overwrite is for folders of frames, and raw frames replace nothing; leave it out"),
    ],
)
def test_options_that_cannot_apply_are_refused(
    tmp_path: Path, words: list[str], output: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.png")
    assert derain(tmp_path / "a.png", output if output == "-" else tmp_path / output, *words) == 2
    error = capfd.readouterr().err
    assert re.fullmatch(rf"raincheck: error: [^\n]*{message}[^\n]*\n", error), error
    assert listing(tmp_path) == ["a.png"]


def test_with_several_inputs_they_are_refused_before_any_work(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    Image.fromarray(noise(1)[0]).save(tmp_path / "b.png")
    assert derain(path, tmp_path / "b.png", tmp_path / "out", "--crf", "20") == 2
    assert re.search(r"--crf is for video files, which .*out/b.png is not", capfd.readouterr().err)
    assert listing(tmp_path) == ["a.mp4", "b.png"]


def test_all_inputs_are_looked_for_first(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    assert derain(path, tmp_path / "none.mp4", tmp_path / "out") == 2
    assert "there is no video at" in capfd.readouterr().err
    assert listing(tmp_path) == ["a.mp4"]


def test_a_name_that_no_disk_takes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert derain(tmp_path / ("w" * 300), tmp_path / "out.mp4") == 2
    assert re.search(
        r"error: \S+w cannot be used \(File name too long\); choose a shorter name", capfd.readouterr().err
    )


@pytest.mark.parametrize("name", ["n" * 251 + ".mp4", "n" * 251 + ".png", "ü" * 127])
def test_the_longest_names_are_written(tmp_path: Path, name: str) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.png")
    assert derain(tmp_path / "a.png", tmp_path / name) == 0 and listing(tmp_path) == ["a.png", name]


def test_names_that_are_too_long_to_write_are_to_be_shorter(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.png")
    assert derain(tmp_path / "a.png", tmp_path / ("n" * 252 + ".mp4")) == 2
    assert re.fullmatch(
        r"raincheck: error: .*n.mp4 .*File name too long.*; choose a shorter name\n", capfd.readouterr().err
    )
    assert listing(tmp_path) == ["a.png"]


def test_links_that_go_in_circles(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    (tmp_path / "b.mp4").symlink_to(tmp_path / "c.mp4")
    (tmp_path / "c.mp4").symlink_to(tmp_path / "b.mp4")
    assert derain(tmp_path / "b.mp4", tmp_path / "out.mp4") == 2
    assert re.fullmatch(r"raincheck: error: there is no video at .*b.mp4; [^\n]+\n", capfd.readouterr().err)
    assert derain(path, tmp_path / "b.mp4") == 0
    assert len(read_video(tmp_path / "b.mp4")) == 4 and not (tmp_path / "b.mp4").is_symlink()


@pytest.mark.parametrize(
    "words", [["derain", "a.mp4", "-"], pytest.param(["evaluate", "a.mp4", "a.mp4"], marks=pytest.mark.slow)]
)
def test_standard_output_that_is_full(tmp_path: Path, words: list[str]) -> None:
    write_video(tmp_path / "a.mp4", noise(2))
    command = [sys.executable, "-m", "raincheck", *words, "--weights", "identity"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert re.fullmatch(r"raincheck: error: standard output cannot be used \(No space left[^\n]+\n", done.stderr)


def test_pictures_of_telephones_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x10meta\0\0\0\0\0\0\0\0"
    for name in ("a.heic", "b.mp4"):  # known by its name, or by what it begins with
        (tmp_path / name).write_bytes(content)
        for output in ("c.jpg", "c.mp4") if name == "a.heic" else ("c.mp4",):
            assert derain(tmp_path / name, tmp_path / output) == 2
            error = capfd.readouterr().err
            assert re.fullmatch(
                rf"raincheck: error: .*{name} is a picture of the HEIF family, which [^\n]+; save it as PNG or JPEG\n",
                error,
            ), error
    assert listing(tmp_path) == ["a.heic", "b.mp4"]


def test_an_encoder_that_does_not_fit_the_container(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    assert derain(path, tmp_path / "b.webm", "--codec", "libx264") == 2
    assert "b.webm cannot hold libx264" in capfd.readouterr().err and listing(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("words", [["--codec", "h261"], ["--codec", "h264_v4l2m2m"]])
def test_an_encoder_that_does_not_start_is_not_the_disks_fault(
    tmp_path: Path, words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_video(tmp_path / "a.mp4", noise(4))
    if "h264_v4l2m2m" in words and "h264_v4l2m2m" not in av.codecs_available:
        pytest.skip("FFmpeg has no such encoder here")
    assert derain(path, tmp_path / "b.avi", *words) == 2
    error = capfd.readouterr().err
    assert re.fullmatch(r"raincheck: error: \S+ does not start for 64x48 [^\n]+; use another --codec[^\n]+\n", error)
    assert listing(tmp_path) == ["a.mp4"]


def test_a_notice_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert derain(film(tmp_path / "a.mkv", "libopus", subtitles=True), tmp_path / "b.mp4") == 0
    notices = [line for line in capfd.readouterr().err.splitlines() if "notice" in line]
    assert len(notices) == 1
    assert re.fullmatch(r"raincheck: notice: mp4 cannot hold the subtitle track .*; name a .mkv file.*", notices[0])


def test_raw_frames_pass_through_pipes(tmp_path: Path) -> None:
    frames = noise(7)
    done = program("-", "-", "--size", "64x48", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, error = done.communicate(frames.tobytes(), timeout=PATIENCE)
    assert done.returncode == 0, error
    np.testing.assert_array_equal(np.frombuffer(out, np.uint8).reshape(frames.shape), frames)


def test_raw_frames_to_and_from_files(tmp_path: Path) -> None:
    done = program("-", tmp_path / "a.mp4", "--size", "64x48", "--fps", "50", stdin=subprocess.PIPE)
    _, error = done.communicate(smooth(5).tobytes(), timeout=PATIENCE)
    assert done.returncode == 0, error
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert file.streams.video[0].average_rate == 50
    done = program(tmp_path / "a.mp4", "-", stdout=subprocess.PIPE)
    out, _ = done.communicate(timeout=PATIENCE)
    np.testing.assert_array_equal(np.frombuffer(out, np.uint8).reshape(5, 48, 64, 3), read_video(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("words", "content", "message"),
    [
        (["-", "-"], b"", "raw frames from - need --size WxH"),
        (["a.mp4", "-", "b.mp4", "--size", "64x48"], b"", "raw frames from - need --size WxH, and no other input"),
        (["a.mp4", "b.mp4", "-"], b"", "several inputs cannot go to -; name a folder"),
        (["-", "-", "--size", "64x48"], b"", "there are no raw frames on standard input"),
        (["-", "-", "--size", "999999x999999"], b"", "'999999x999999' is larger than a frame can be; check it"),
        (["-", "-", "--size", "64x48"], bytes(9216 + 7), "ends 7 bytes into frame 1 of 9216 bytes; check --size 64x48"),
    ],
)
def test_mistakes_with_raw_frames(
    words: list[str],
    content: bytes,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))
    assert derain(*words) == 2
    assert message in capfd.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "in", noise(60, 96, 128))
    done = program(path, "-", stdout=subprocess.PIPE)
    assert done.stdout is not None and done.stderr is not None
    assert len(done.stdout.read(96 * 128 * 3)) == 96 * 128 * 3
    done.stdout.close()
    assert b"Traceback" not in done.stderr.read() and done.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("number", "output"), [(signal.SIGINT, "b.mp4"), pytest.param(signal.SIGTERM, "out", marks=pytest.mark.slow)]
)
def test_ctrl_c_leaves_nothing(tmp_path: Path, number: signal.Signals, output: str) -> None:
    film(tmp_path / "a.mp4")
    source = write_folder(tmp_path / "in", noise(150, 240, 320)) if output == "out" else tmp_path / "a.mp4"
    if output == "b.mp4":
        write_video(source, np.concatenate([noise(20, 240, 320)] * 20), preset="ultrafast")
    before = listing(tmp_path)
    running = program(source, tmp_path / output)
    until(lambda: listing(tmp_path) != before or running.poll() is not None, "something that is half-written")
    assert running.poll() is None
    running.send_signal(number)
    assert running.wait(PATIENCE) == 130, running.stderr and running.stderr.read()
    assert listing(tmp_path) == before


def test_a_disk_that_is_full_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk; sound and pictures are half-written then."""
    path = film(tmp_path / "a.mp4")
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "from raincheck.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", limited, "derain", str(path), str(tmp_path / "b.mp4"), "--crf", "0", *IDENTITY]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 2
    assert re.fullmatch(r"raincheck: error: cannot write .*b.mp4: File too large; choose [^\n]+\n", done.stderr)
    assert listing(tmp_path) == ["a.mp4", "a.srt"]


@pytest.mark.slow
def test_a_truly_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        path = write_video(tmp_path / "a.mp4", noise(40))
        for output in ("b.mp4", "out"):
            done = program(path, disk / output)
            _, error = done.communicate(timeout=PATIENCE)
            assert done.returncode == 2 and b": No space left on device; choose" in error and error.count(b"\n") == 1
            assert listing(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        parser().parse_args(["--help"])
    assert exit.value.code == 0
    text = capsys.readouterr().out
    for action in parser()._actions:
        assert action.help and (action.option_strings or [action.metavar])[0] in text


def test_every_option_reaches_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(batch, "derain_files", lambda inputs, output, options: given.update(options))
    words = (
        "--weights w --device d --trust --precision bf16 --compile --self-ensemble --tile 64 --start 1 --end 2f "
        "--compare wipe --no-cuts --fps 30 --crf 3 --codec c --pixel-format p --overwrite"
    )
    assert main(["derain", "a.mp4", "b.mp4", *words.split()]) == 0
    assert given == {
        "weights": "w",
        "device": "d",
        "trust": True,
        "precision": "bf16",
        "compile": True,
        "self_ensemble": True,
        "tile": 64,
        "start": "1",
        "end": "2f",
        "compare": "wipe",
        "cuts": False,
        "fps": 30,
        "crf": 3,
        "codec": "c",
        "pixel_format": "p",
        "overwrite": True,
    }
    assert {*given, "progress"} == set(Options.__annotations__)
