"""What pictures hold besides their pixels is kept, or the user is told."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from raincheck import derain
from raincheck.errors import RaincheckWarning
from raincheck.networks import RRGNet, save_weights
from tinyvideo import listing, noise, smooth, write_folder

USUAL = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
OTHER = USUAL.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


def photo(path: Path, alpha: bool = False, orientation: int = 6) -> Path:
    """A picture with an orientation, a colour profile, and a transparent half if wanted."""
    image = Image.fromarray(smooth(1)[0])
    if alpha:
        half = np.full((48, 64), 255, np.uint8)
        half[:, :32] = 0
        image.putalpha(Image.fromarray(half))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Camera"
    image.save(path, exif=exif, icc_profile=OTHER)
    return path


def shown(path: Path) -> np.ndarray:
    """The picture as a viewer shows it."""
    return np.array(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))


def told(recorded: pytest.WarningsRecorder) -> list[str]:
    return [str(w.message) for w in recorded if w.category is RaincheckWarning]


@pytest.mark.parametrize("source", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("output", ["b.jpg", "b.png", "b.webp", "b.tif", "out"])
def test_orientation_and_profile_are_kept(
    tmp_path: Path, source: str, output: str, recwarn: pytest.WarningsRecorder
) -> None:
    path = photo(tmp_path / source)
    derain(path, tmp_path / output, weights="identity")
    written = tmp_path / "out" / source if output == "out" else tmp_path / output
    assert shown(written).shape == (64, 48, 3)
    assert np.abs(shown(written).astype(int) - shown(path)).mean() < 2
    assert Image.open(written).info["icc_profile"] == OTHER
    if source != "a.tif" and output != "b.tif":
        assert Image.open(written).getexif()[0x010F] == "Camera"
    assert not told(recwarn)


@pytest.mark.parametrize("source", ["a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("output", ["b.png", "b.webp", "b.tif"])
def test_transparency_is_kept(tmp_path: Path, source: str, output: str, recwarn: pytest.WarningsRecorder) -> None:
    path = photo(tmp_path / source, alpha=True, orientation=1)
    derain(path, tmp_path / output, weights="identity")
    before, after = np.array(Image.open(path).convert("RGBA")), np.array(Image.open(tmp_path / output))
    np.testing.assert_array_equal(after[..., 3], before[..., 3])
    assert np.abs(after.astype(int) - before).mean() < 1
    derain(path, tmp_path / output, weights="identity", compare=True)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / output))[..., 3], np.tile(before[..., 3], (1, 2)))
    assert not told(recwarn)


@pytest.mark.parametrize(
    ("output", "lost"),
    [("b.jpg", "transparency"), ("b.bmp", "orientation and the colour profile and the transparency")],
)
def test_what_a_format_cannot_hold_is_named(
    tmp_path: Path, output: str, lost: str, recwarn: pytest.WarningsRecorder
) -> None:
    derain(photo(tmp_path / "a.png", alpha=True), tmp_path / output, weights="identity")
    assert told(recwarn) == [f"{tmp_path / output} does not keep the {lost} of {tmp_path / 'a.png'}"]


def test_a_profile_of_grey_does_not_describe_what_is_written(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    grey = OTHER[:16] + b"GRAY" + OTHER[20:]
    Image.fromarray(smooth(1)[0]).convert("L").save(tmp_path / "a.png", icc_profile=grey)
    derain(tmp_path / "a.png", tmp_path / "b.png", weights="identity")
    assert "icc_profile" not in Image.open(tmp_path / "b.png").info
    assert told(recwarn) == [f"{tmp_path / 'b.png'} does not keep the colour profile of {tmp_path / 'a.png'}"]


def test_what_is_as_usual_is_not_missed(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    image = Image.fromarray(smooth(1)[0])
    image.putalpha(255)
    for profile in (USUAL, USUAL.replace("sRGB".encode("utf-16-be"), b"sRGB\0\0\0\0")):
        image.save(tmp_path / "a.png", icc_profile=profile)
        derain(tmp_path / "a.png", tmp_path / "b.bmp", weights="identity")
    assert not told(recwarn)


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.tif"])
@pytest.mark.parametrize("count", [2, 4])
def test_pictures_behind_the_first_are_named(
    tmp_path: Path, name: str, count: int, recwarn: pytest.WarningsRecorder
) -> None:
    first, *more = (Image.fromarray(frame) for frame in noise(count))
    first.save(tmp_path / name, save_all=True, append_images=more)
    derain(tmp_path / name, tmp_path / "b.png", weights="identity")
    (notice,) = told(recwarn)
    assert f"does not keep the {count - 1} picture{'s' * (count > 2)} behind the first of " in notice


def test_a_video_of_pictures_names_what_it_cannot_hold_once(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    (tmp_path / "in").mkdir()
    for name in ("1.jpg", "2.jpg"):
        photo(tmp_path / "in" / name)
    derain(tmp_path / "in", tmp_path / "b.mp4", weights="identity")
    assert told(recwarn) == [
        f"{tmp_path / 'b.mp4'} does not keep the orientation and the colour profile of {tmp_path / 'in' / '1.jpg'}"
    ]


@pytest.mark.parametrize(
    ("name", "grey", "white"),
    [
        ("a.png", True, 65535),
        ("a.png", False, 65535),
        ("a.tif", True, 65535),
        *(("a.ppm", grey, white) for grey in (True, False) for white in (65535, 4095)),
    ],
)
def test_16_bits_are_lost_aloud(
    tmp_path: Path, name: str, grey: bool, white: int, recwarn: pytest.WarningsRecorder
) -> None:
    deep = (smooth(1)[0].astype(np.uint32) * white // 255).astype(np.uint16)[..., : 1 if grey else 3]
    if grey and name != "a.ppm":
        Image.fromarray(deep[..., 0]).save(tmp_path / name)
    elif name == "a.ppm":
        kind = b"P5" if grey else b"P6"
        (tmp_path / name).write_bytes(kind + b" 64 48 %d\n" % white + deep.astype(">u2").tobytes())
    else:
        frame = av.VideoFrame.from_ndarray(deep.astype("<u2"), format="rgb48le").reformat(format="rgb48be")
        encoder = av.CodecContext.create("png", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "rgb48be", Fraction(1, 25)
        (tmp_path / name).write_bytes(b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)]))
    derain(tmp_path / name, tmp_path / "b.png", weights="identity")
    assert told(recwarn) == [f"{tmp_path / 'b.png'} does not keep the 16 bits of {tmp_path / name}"]
    assert (
        np.abs(
            np.array(Image.open(tmp_path / "b.png").convert("RGB")).astype(int) - smooth(1)[0][..., : deep.shape[2]]
        ).max()
        <= 1
    )


def test_a_folder_of_plain_pictures_needs_no_notice(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    derain(write_folder(tmp_path / "in", noise(3)), tmp_path / "out", weights="identity", start="1f")
    assert listing(tmp_path / "out") == ["00002.png", "00003.png"] and not told(recwarn)


def test_a_part_has_what_its_own_pictures_hold(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(2))
    photo(folder / "00003.png", alpha=True)
    derain(folder, tmp_path / "out", weights="identity", start="2f")
    assert Image.open(tmp_path / "out" / "00003.png").mode == "RGBA"


@pytest.mark.parametrize(("window", "frames", "said"), [(3, 1, True), (3, 2, False), (1, 1, False)])
def test_a_single_picture_is_said_to_have_no_motion(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, window: int, frames: int, said: bool
) -> None:
    save_weights(RRGNet(window=window, width=4), tmp_path / "w.safetensors")
    write_folder(tmp_path / "in", noise(frames))
    derain(tmp_path / "in", tmp_path / "out", weights=tmp_path / "w.safetensors")
    assert any("is a single frame: this network knows rain by its motion" in notice for notice in told(recwarn)) is said
