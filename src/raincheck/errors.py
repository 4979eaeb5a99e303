"""Every error that a user can cause: one sentence that says what was looked for, where, and what to change.

The command line prints the sentence as `raincheck: error: ...` and exits with code 2. Anything else that is raised
is a defect of ours and keeps its traceback.
"""

from errno import ENAMETOOLONG


def one_line(error: BaseException | str) -> str:
    """A library's message, which may fill a page, as a part of a sentence: on one line, 400 characters at most."""
    return " ".join(str(error).split())[:400]


def first_line(error: BaseException) -> str:
    """As `one_line`, of a message whose first line says it all; the error's type if there is none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def remedy(error: BaseException, usual: str) -> str:
    """What to do about a file that cannot be used; `usual`, unless its name is too long."""
    return "choose a shorter name" if getattr(error, "errno", None) == ENAMETOOLONG else usual


class RaincheckError(Exception):
    """A mistake that the user can put right; its text is one sentence for the user."""

    def __str__(self) -> str:
        text = super().__str__()
        # torch's loaders raise what one of their workers raised with all of the worker's traceback before the sentence.
        mark = f"{type(self).__module__}.{type(self).__qualname__}: "
        return text.rpartition(mark)[2].rstrip("\n") if text.startswith("Caught ") and mark in text else text


class InputError(RaincheckError):
    """A video, folder or frame cannot be read, or does not fit its partner."""


class OutputError(RaincheckError):
    """An output cannot be written, or would overwrite something."""


class ConfigError(RaincheckError):
    """A configuration asks for something that does not exist, does not fit, or has changed since the run began."""


class WeightsError(RaincheckError):
    """A weights file is missing, unreadable, or belongs to another network."""


class DivergenceError(RaincheckError):
    """A loss term became NaN or infinite."""


class RaincheckWarning(UserWarning):
    """Something that the user should know, though all goes on: one sentence."""
