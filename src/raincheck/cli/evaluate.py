"""`raincheck evaluate`: a video against its clean twin."""

import argparse
import json
from pathlib import Path

from raincheck.commands import Parser, add_network_options
from raincheck.notices import notices


def run(arguments: list[str]) -> None:
    """Derains, scores, prints."""
    mine = Parser("evaluate")
    mine.add_argument("rainy", metavar="RAINY", type=Path, help="a video file or a folder of frames")
    mine.add_argument("clean", metavar="CLEAN", type=Path, help="the same without rain")
    add_network_options(mine)
    mine.add_argument("--frames", type=frame_slice, default=slice(None), metavar="A:B", help="score these frames only")
    mine.add_argument("--json", type=Path, metavar="FILE", help="write the scores here as well")
    options = mine.parse_args(joined(arguments, "--frames"))
    from raincheck.files import write_result
    from raincheck.targets import check_target

    if options.json:
        check_target(options.json, [options.rainy, options.clean, Path(options.weights)])
    from raincheck.deraining.allocator import keep_freed_memory
    from raincheck.evaluation.pair import evaluate_pair

    keep_freed_memory()
    with notices():
        scores = evaluate_pair(
            options.rainy,
            options.clean,
            weights=options.weights,
            frames=options.frames,
            device=options.device,
            trust=options.trust,
            precision=options.precision,
            self_ensemble=options.self_ensemble,
        )
    text = json.dumps(scores, indent=1)
    print(text)
    if options.json:
        write_result(options.json, text + "\n")


def joined(arguments: list[str], option: str) -> list[str]:
    """Joins an option and its value, so that argparse does not take one such as -3: for an option."""
    words: list[str] = []
    for word in arguments:
        if words and words[-1] == option:
            words[-1] = f"{option}={word}"
        else:
            words.append(word)
    return words


def frame_slice(text: str) -> slice:
    """`A:B` or `A:B:STEP`, as in Python."""
    parts = text.split(":")
    if not 2 <= len(parts) <= 3:
        raise argparse.ArgumentTypeError(f"{text!r} is not a slice such as 10:20")
    try:
        return slice(*(int(part) if part else None for part in parts))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a slice such as 10:20") from None
