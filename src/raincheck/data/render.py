"""`raincheck data render`: a paired data set from clean video, in the layout of NTURain.

    Dataset_{Training,Testing}_Rendered/<clip>_GT/%05d.png
    Dataset_{Training,Testing}_Rendered/<clip>_Rain_%02d/%05d.png
    Streaks/<clip>_Rain_%02d/%05d.png, Veil/...        with `layers`, 16 bits
    manifest.json, SHA256SUMS                          when all is done

A video is rendered in parts, by as many processes as there are, into a hidden folder that takes its name when it is
whole. Every frame is a function of the request, so a frame that is there need not be made again.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raincheck.data.clips import Clip
from raincheck.data.handout import Footage, Progress, Renderer, Work
from raincheck.data.manifest import Made, read_manifest, write_manifest
from raincheck.data.painting import Painting
from raincheck.data.request import Request, claim
from raincheck.data.workers import workers
from raincheck.datasets.renderedset import CLAIM, FOLDERS
from raincheck.errors import OutputError, RaincheckError
from raincheck.files import locked
from raincheck.processes import cores
from raincheck.rain.drops import expected
from raincheck.rain.parameters import Rain


def render_set(
    request: Request, out: Path, jobs: int | None = None, progress: Progress = lambda done, total: None
) -> dict[str, Any]:
    """Renders a paired data set; the same request into the same folder goes on where it was interrupted.

    Args:
        request: what to render.
        out: a folder that is not there, empty, or that of the same request.
        jobs: processes; None is one a core.
        progress: called with the frames written so far and, if known, in all.

    Returns:
        The manifest.

    Raises:
        ConfigError: if the request cannot be met, or the folder was begun with another.
        InputError: if a clip cannot be read.
        OutputError: if the folder cannot be used.
    """
    check_apart(request.clean, out)
    clips = request.clips()
    every = [clip for part in clips.values() for clip in part]
    plan = [planned(request, clip, split, out) for split, part in clips.items() for clip in part]
    works, wanted = [work for footage in plan for work in footage.works], request.claim(every)
    with locked(out):
        new = claim(out, wanted)
        finished = read_manifest(out)
        if finished is not None:
            return finished
        count = jobs or cores()
        try:
            with workers(count, "rendered", "use fewer --jobs") as pool:
                Renderer(pool, count, progress).run(plan)
                return write_manifest(out, wanted, [(work.made, work.painting.folders) for work in works], pool)
        except RaincheckError:
            for work in works:
                work.abandon()
            if new and not any(work.done for work in works):
                remove_begun(out)
            raise


def check_apart(inputs: Sequence[Path], out: Path) -> None:
    """Refuses an output that is, holds or is inside an input.

    Raises:
        OutputError: naming the input.
    """
    place = out.resolve()
    for given in inputs:
        source = given.resolve()
        if place == source or place in source.parents or source in place.parents:
            raise OutputError(f"{out} and the clean clips {given} are inside one another; choose another --out")


def remove_begun(out: Path) -> None:
    """Leaves an output folder as empty as it was, when nothing in it is finished."""
    (out / CLAIM).unlink()
    for part in (*FOLDERS.values(), "Streaks", "Veil"):
        shutil.rmtree(out / part, ignore_errors=True)


def planned(request: Request, clip: Clip, split: str, out: Path) -> Footage:
    """A clip and its videos: the clean one and its variants.

    Raises:
        InputError: if it cannot be read.
        ConfigError: if a variant cannot be rendered.
    """
    size, fps, length = clip.look()
    clean = Made(
        split, f"{FOLDERS[split]}/{clip.name}_GT", clip.path.name, fps, size, clip.depth.name if clip.depth else None
    )
    works = [Work(clean, Painting(out / clean.folder, request.suffix))]
    for variant in range(1, (request.variants or len(request.rains)) + 1):
        kind, rain, seed = request.rain(clip.name, variant, fps)
        if request.streaks is None and isinstance(rain, Rain):
            expected(rain, size)  # refuses too many now, and not after hours of other clips
        name = f"{clip.name}_Rain_{variant:02d}"
        painting = Painting(
            out / FOLDERS[split] / name,
            request.suffix,
            rain,
            seed,
            None if request.streaks is None else request.streaks.resolve(),
            out / "Streaks" / name if request.layers else None,
            out / "Veil" / name if request.layers and clip.depth is not None else None,
        )
        works.append(Work(clean.under(f"{FOLDERS[split]}/{name}", kind, rain, seed), painting))
    return Footage(clip, size, length, works)
