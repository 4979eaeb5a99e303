"""What a video file holds besides its pictures: sound, subtitles, chapters and tags, copied without decoding."""

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from raincheck.errors import InputError, RaincheckWarning
from raincheck.video.part import WHOLE, Part
from raincheck.video.reading.container import opened
from raincheck.video.reading.times import start_of
from raincheck.video.writing.stamps import Stamps
from raincheck.video.writing.tracks import KINDS, accepts, advice, is_told_otherwise, told

if TYPE_CHECKING:
    from av.container.core import Chapter  # in the stubs only

PRIMING = Fraction(1, 10)  # seconds that codecs of sound need before the first that is heard, at most


class Companions:
    """Copies the other tracks of a video file into an output, in step with its pictures.

    The file is opened a second time, so that reading pictures and sound never wait for each other. A packet is copied
    whole or not at all: at the ends of a part, sound may begin or stop some hundredths of a second off.

    Args:
        path: the video file.
        part: which of its pictures are written.
    """

    def __init__(self, path: Path, part: Part = WHOLE) -> None:
        self.path, self.end, self.late = path, part.end, part.start is not None
        self.context = opened(path)
        self.container, pictures = self.context.__enter__()
        self.zero = start_of(self.container, pictures)  # the file's time stamp that counts as 0
        self.start = Fraction(0)  # seconds of the first picture
        self.pictures = pictures
        pictures.discard = Discard.all
        self.stamps: dict[int, Stamps] = {}  # of the tracks that are copied, by their index
        self.waiting: Iterator[Packet[Stream]] = iter(())
        self.next: Packet[Stream] | None = None
        self.told = False  # that something is damaged

    def join(self, output: OutputContainer, kind: str) -> None:
        """Adds the tracks that the output's container can hold, and says which it cannot.

        Args:
            output: not begun yet.
            kind: FFmpeg's name of its container format.
        """
        self.output = output
        for track in self.container.streams:
            if track is self.pictures or is_told_otherwise(track):
                continue
            if track.type not in KINDS or not accepts(kind, track):
                self.leave_out(track, kind)
                continue
            copy = output.add_stream_from_template(track)
            copy.metadata.update(told(track.metadata))
            copy.disposition = track.disposition
            if track.type != "attachment":
                self.stamps[track.index] = Stamps(copy)
        if kind == "avi" and self.container.chapters():
            notice = f"avi cannot hold the chapters of {self.path}; name a .mkv file to keep them"
            warnings.warn(notice, RaincheckWarning, stacklevel=2)
        output.metadata.update(told(self.container.metadata))
        output.streams.video[0].metadata.update(told(self.pictures.metadata))
        output.streams.video[0].disposition = self.pictures.disposition

    def leave_out(self, track: Stream, kind: str) -> None:
        """Says which track is not copied, and what to do about it."""
        name = track.codec_context.name if track.codec_context else track.metadata.get("filename", "no codec")
        what = f"the {track.type} track {track.index} ({name}) of {self.path}"
        if track.type in KINDS:
            notice = f"{kind} cannot hold {what}, which is left out; {advice(track)}"
        else:
            notice = f"{what} is left out: only its first track of pictures, sound, subtitles and attachments are kept"
        warnings.warn(notice, RaincheckWarning, stacklevel=3)

    def begin(self, time: Fraction) -> Fraction:
        """Starts copying for pictures of which the first is shown at `time`; the time that becomes the output's 0."""
        self.start = time if self.late else Fraction(0)
        wanted = [self.container.streams[index] for index in self.stamps]
        if wanted:
            self.waiting = self.container.demux(*wanted)
            self.advance()
        return self.start

    def chapters(self, end: Fraction | None) -> Iterator["Chapter"]:
        """The chapters of the part, from its start on and cut at its end, in seconds; None is that of the file."""
        for chapter in self.container.chapters():
            base = chapter["time_base"]
            if base is None:
                continue
            shift = round((self.start + self.zero) / base)
            last = (
                chapter["end"] - shift if end is None else min(chapter["end"] - shift, round((end - self.start) / base))
            )
            first = max(0, chapter["start"] - shift)
            if last > first:
                yield {**chapter, "start": first, "end": last}

    def outlast(self) -> None:
        """Lets sound go on to its own end, where the part ends at a frame that the video does not have."""
        if self.end is not None and self.end.frames is not None:
            self.end = None

    def rest(self, shown: Fraction) -> "Iterator[Packet[Stream]]":
        """What is left of the part behind its last picture, which is shown until `shown` s; also adds the chapters.

        Raises:
            InputError: if the file is corrupt.
        """
        # Where pictures end before the part does, sound goes on; a Moment in frames has 0 seconds.
        end = None if self.end is None else max(self.end.seconds, shown)
        self.output.set_chapters(list(self.chapters(end)))  # containers take them at the end
        return self.packets(end)

    def packets(self, end: Fraction | None) -> "Iterator[Packet[Stream]]":
        """What comes before `end` s; with None all that is left.

        Raises:
            InputError: if the file is corrupt.
        """
        while self.next is not None:
            packet, at = self.next, self.time(self.next)
            if end is not None and at is not None and at >= end:
                return
            if self.belongs(packet, at):
                yield self.stamps[packet.stream.index].moved(packet, self.zero + self.start)
            self.advance()

    def belongs(self, packet: "Packet[Stream]", at: Fraction | None) -> bool:
        """Whether a packet is of the part; of a whole file, sound before 0 is too, which fills the delay of a codec.

        But what an edit list has cut off, up to a tenth of a second before 0, is not: few containers can say so again.
        """
        if at is None or at >= self.start:
            return True
        return not self.late and not (packet.is_discard and at < -PRIMING)

    def time(self, packet: "Packet[Stream]") -> Fraction | None:
        """Seconds since the file's start; None where nothing is said."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        return None if stamp is None else stamp * packet.time_base - self.zero

    def advance(self) -> None:
        """Reads the next packet; those without bytes only say that the file ends."""
        try:
            self.next = next((p for p in self.waiting if p.size), None)
        except av.FFmpegError as error:
            raise InputError(
                f"the sound or subtitles of {self.path} are corrupt ({error.strerror}); copy or download the file again"
            ) from None
        if self.next is not None:
            self.stamps[self.next.stream.index].set_onward(self.next)

    def tell_damaged(self) -> None:
        """Tells the user, once, that some sound or subtitles are left out, as in recordings with gaps."""
        if not self.told:
            self.told = True
            warnings.warn(
                f"the sound or subtitles of {self.path} are damaged: what is broken is left out; copy or download the "
                "file again",
                RaincheckWarning,
                stacklevel=2,
            )

    def close(self) -> None:
        """Closes the file."""
        self.context.__exit__(None, None, None)
