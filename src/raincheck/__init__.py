"""raincheck: continual learning of video rain removal.

Shapes everywhere: clip `(b, t, c, h, w)`, float32 in [0, 1], RGB; video on disk and in review memory:
uint8 `(t, c, h, w)`.
`b` batch, `t` frames, `c` colour channels, `h` rows, `w` columns.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # so that type checkers see the signature
    from raincheck.deraining import derain

__version__ = "0.1.0"
__all__ = ["derain"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `import raincheck` costs nothing and `raincheck --help` never waits for torch.
    if name == "derain":
        from raincheck.deraining import derain

        return derain
    raise AttributeError(f"module 'raincheck' has no attribute {name!r}")
