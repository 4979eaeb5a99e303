"""Images and folders of them as video."""

from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from PIL import Image

from raincheck.errors import InputError
from raincheck.video.access.footage import FrameFolder
from raincheck.video.images.besides import read_besides
from raincheck.video.images.listing import numbers
from raincheck.video.images.still import image_size, read_image
from raincheck.video.reading.decode import open_stream
from raincheck.video.stream import Stream
from tinyvideo import cut, noise, write_folder, write_photographs


def pixels(stream: Stream) -> np.ndarray:
    return rearrange(list(stream.frames()), "t c h w -> t h w c").numpy()


def test_an_image_is_a_video_of_one_frame(tmp_path: Path) -> None:
    Image.fromarray(noise(1)[0]).save(tmp_path / "a.png")
    stream = open_stream(tmp_path / "a.png")
    assert (stream.size, stream.length, stream.count(), stream.names) == ((48, 64), 1, 1, ["a.png"])
    np.testing.assert_array_equal(pixels(stream), noise(1))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_as_their_tags_say(tmp_path: Path, orientation: int, suffix: str) -> None:
    frames = noise(1, 20, 30)
    folder = write_photographs(tmp_path / "in", frames, orientation, suffix)
    footage = FrameFolder(folder, turned=True)
    assert footage.size == image_size(folder / f"00001{suffix}", turned=True) == (20, 30)
    np.testing.assert_array_equal(rearrange(footage.read(0, 1), "t c h w -> t h w c").numpy(), frames)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("tags", [b"Exif\0\0no tags at all", b"Exif\0\0II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"])
def test_tags_that_cannot_be_read_turn_nothing(tmp_path: Path, tags: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    Image.fromarray(noise(1)[0]).save(path, exif=tags)
    assert image_size(path, turned=True) == (48, 64)
    assert torch.equal(read_image(path, turned=True), read_image(path)) and not read_besides(path).turned


def test_a_folder_is_read_in_natural_order_without_what_is_no_image(tmp_path: Path) -> None:
    frames = noise(11)
    folder = write_folder(tmp_path / "in", frames, "frame-{}.png")
    for name in ("Thumbs.db", ".DS_Store", "._frame-1.png", "notes.txt"):
        (folder / name).write_bytes(b"no image")
    (folder / "sub.png").mkdir()
    stream = open_stream(folder)
    assert stream.names == [f"frame-{i}.png" for i in range(1, 12)]
    assert (stream.size, stream.length, stream.count(), stream.display) == ((48, 64), 11, 11, ())
    np.testing.assert_array_equal(pixels(stream), frames)


def test_grey_palette_and_16_bit_images_become_rgb(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    colour = Image.fromarray(noise(1)[0])
    wide = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 21
    colour.convert("L").save(folder / "1.png")
    colour.convert("P").save(folder / "2.png")
    colour.convert("RGBA").save(folder / "3.png")
    Image.fromarray(wide).save(folder / "4.png")
    colour.save(folder / "5.JPG")
    got = pixels(open_stream(folder))
    np.testing.assert_array_equal(got[0], np.array(colour.convert("L"))[..., None].repeat(3, -1))
    np.testing.assert_array_equal(got[1], np.array(colour.convert("P").convert("RGB")))
    np.testing.assert_array_equal(got[2], np.array(colour))
    np.testing.assert_array_equal(got[3], np.round(wide / 257)[..., None].repeat(3, -1))
    np.testing.assert_array_equal(got[4], np.array(Image.open(folder / "5.JPG")))


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((48, 64), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a.tif holds floating-point pixels of unknown range; save it with 8 or 16"):
        list(open_stream(tmp_path / "a.tif").frames())


def test_which_of_the_numbers_in_names_is_the_frames() -> None:
    assert numbers(["1_8.png", "2_9.png"]) == [8, 9]  # of two that differ the last
    assert numbers(["x2_1.png", "x2_3.png", "x2_2.png"]) == numbers(["1_x2.png", "3_x2.png", "2_x2.png"]) == [1, 3, 2]
    assert numbers(["1_5.png", "7.png", "a.png"]) == [5, 7, None]


@pytest.mark.parametrize(
    ("kind", "words"), [(np.float32, "floating-point"), (np.int32, "signed or 32-bit"), (np.uint16, None)]
)
def test_numbers_of_unknown_range_are_refused(kind: type[np.generic], words: str | None, tmp_path: Path) -> None:
    path = tmp_path / "1.tif"
    levels = np.arange(48 * 64).reshape(48, 64) % 256
    Image.fromarray((levels * 257).astype(kind)).save(path)
    if words is None:
        np.testing.assert_array_equal(pixels(open_stream(tmp_path))[0, :, :, 0], levels)
        return
    with pytest.raises(InputError) as error:
        pixels(open_stream(tmp_path))
    assert str(error.value) == f"{path} holds {words} pixels of unknown range; save it with 8 or 16 bits"


def test_folders_without_frames(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no frames: it is empty"):
        open_stream(tmp_path)
    (tmp_path / "Thumbs.db").touch()
    with pytest.raises(
        InputError, match=r"none of its 1 entries is an image; .*, or videos by the names of their files$"
    ):
        open_stream(tmp_path)


def test_frames_of_different_sizes_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(3))
    Image.fromarray(noise(1, 40, 64)[0]).save(folder / "00003.png")
    with pytest.raises(InputError, match=r"00003.png is 64x40 but 00001.png is 64x48; give frames of one size"):
        open_stream(folder)


def test_unreadable_images_are_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", noise(3))
    (folder / "00002.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"00002.png is not an image"):
        open_stream(folder)
    Image.fromarray(noise(1)[0]).save(folder / "00002.png")
    stream = open_stream(folder)
    cut(folder / "00002.png", 0.5)
    with pytest.raises(InputError, match=r"00002.png is a broken image"):
        list(stream.frames())


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "in" / "1.pgm"
    path.parent.mkdir()
    path.write_bytes(b"P5 60000 60000 255\n" + bytes(100))
    with pytest.raises(InputError, match="has more than 89 million pixels"):
        open_stream(path.parent)
