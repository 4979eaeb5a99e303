"""Real photographs, filmed: a moving camera over a still picture, with moving objects in front, all exactly known.

The pictures come inside installed packages, so nothing is downloaded. Their licences, as those packages state them:

- scikit-image: astronaut (NASA, public domain), chelsea (CC0, S. van der Walt), coffee (CC0, R. Michetti), rocket
  (SpaceX, public domain), brick and gravel (CC0 Textures, CC0), ihc (no known copyright restrictions).
- scikit-learn: china (CC BY 2.0, danielbuechele, flickr 6061409035), flower (CC BY 2.0, vultilion, flickr 6056698931).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zlib import crc32

import numpy as np
from torch import Tensor

from raincheck.datasets.rendering.film import SPEED, Film, draw_film
from raincheck.datasets.rendering.filming import shoot
from raincheck.errors import ConfigError, InputError
from raincheck.video.images.listing import frame_files
from raincheck.video.images.still import read_image
from raincheck.video.pixels import to_float

BUNDLED = {
    "skimage": ("data", "astronaut.png chelsea.png rocket.jpg ihc.png brick.png gravel.png coffee.png"),
    "sklearn": ("datasets/images", "flower.jpg china.jpg"),
}
TEST = ("china", "coffee")  # of the bundled ones; all others are for training


def load_picture(path: Path) -> Tensor:
    """A picture as float32 RGB `(3, h, w)` in [0, 1], turned as viewers show it, so that rain falls down in it.

    Raises:
        InputError: if it cannot be read.
    """
    return to_float(read_image(path, turned=True))


@cache
def bundled_photographs() -> Mapping[str, Tensor]:
    """Photographs by name, float32 `(3, h, w)` in [0, 1], that come inside scikit-image and scikit-learn.

    Raises:
        ConfigError: if a package is missing.
        InputError: if one of its pictures is.
    """
    found: dict[str, Tensor] = {}
    for package, (folder, names) in BUNDLED.items():
        spec = find_spec(package)  # finds the folder without the seconds that an import takes
        if spec is None or spec.origin is None:
            raise ConfigError(f"the bundled photographs need the package {package}; install it or name a folder")
        found |= {Path(name).stem: load_picture(Path(spec.origin).parent / folder / name) for name in names.split()}
    return found


@cache  # shared by the tasks of a stream
def folder_photographs(folder: Path) -> dict[str, Tensor]:
    """Photographs by name, float32 `(3, h, w)` in [0, 1], of a folder; files that are no pictures are ignored.

    Raises:
        InputError: if there is no such folder, no picture in it, or one that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder of photographs at {folder}; name one, or `bundled`")
    return {path.stem: load_picture(path) for path in frame_files(folder)}


def split_photographs(photographs: Mapping[str, Tensor], test: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Names of the training and of the test photographs.

    Raises:
        ConfigError: if a test photograph does not exist, or none is left to train on.
    """
    unknown = [name for name in test if name not in photographs]
    train = [name for name in photographs if name not in test]
    if unknown or not train:
        wrong = f"no photograph is called {unknown[0]!r}" if unknown else "every photograph is a test photograph"
        raise ConfigError(
            f"{wrong}; choose the test photographs among {', '.join(photographs)} and leave some to train"
        )
    return train, [name for name in photographs if name in test]


@dataclass(eq=False)
class FilmedPhotograph:
    """Clean footage of a photograph: a smooth pan and slow zoom, and cut-outs of other photographs moving in front.

    Frame `index` is a function of (name, seed, index) alone.

    Attributes:
        name: of the footage; also decides the film.
        image: float32 `(3, h, w)` in [0, 1].
        cutouts: photographs that the moving objects are cut from, likewise; none means no objects.
        size: height and width of the film, pixels.
        length: frames of the film.
        seed: of the film.
        speed: pixels a frame that camera and objects move at most, each.
    """

    name: str
    image: Tensor
    cutouts: tuple[Tensor, ...] = ()
    size: tuple[int, int] = (192, 256)
    length: int = 36
    seed: int = 0
    speed: float = SPEED

    def __len__(self) -> int:
        return self.length

    @property
    def film(self) -> Film:
        """The camera's path and the objects'."""
        rng = np.random.default_rng((self.seed, crc32(self.name.encode())))
        return self.draw(rng, self.size, self.length)

    def draw(self, rng: np.random.Generator, size: tuple[int, int], length: int) -> Film:
        """A film of this photograph, decided by `rng`."""
        shapes = [(image.shape[-2], image.shape[-1]) for image in (self.image, *self.cutouts)]
        return draw_film(rng, shapes[0], shapes[1:], size, length, self.speed)

    def read(self, start: int, count: int) -> Tensor:
        """Frames `start` to `start + count - 1` as uint8 `(t, c, h, w)`."""
        return shoot(self.film, self.image, self.cutouts, np.arange(start, start + count))

    def sample(self, rng: np.random.Generator, count: int, crop: int) -> Tensor:
        """A clip of another film of the same photograph, uint8 `(count, c, crop, crop)`, decided by `rng` alone.

        Only the crop is rendered.
        """
        return shoot(self.draw(rng, (crop, crop), count), self.image, self.cutouts, np.arange(count))
