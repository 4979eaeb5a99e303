"""Time stamps of packets that are copied from one file into another."""

from fractions import Fraction
from math import floor

from av.packet import Packet
from av.stream import Stream

from raincheck.video.reading.times import LEAST, Onward


class Stamps:
    """Time stamps of one track: going on where the input's jump back, and apart in the output's coarser ticks.

    Args:
        copy: the track in the output.
    """

    def __init__(self, copy: Stream) -> None:
        self.copy = copy
        self.clock = Onward(Fraction(0) if copy.type == "subtitle" else LEAST)
        self.place: int | None = None  # ticks of the output at which the latest sound begins

    def set_onward(self, packet: "Packet[Stream]") -> None:
        """Corrects time stamps that jump back, which no container takes."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None:
            return
        tick = packet.time_base
        onward = self.clock.next(stamp * tick, (packet.duration or 0) * tick)
        shift(packet, round(onward / tick) - stamp)

    def moved(self, packet: "Packet[Stream]", zero: Fraction) -> "Packet[Stream]":
        """The packet as one of the output's, whose time 0 is that time of the input."""
        shift(packet, -round(zero / packet.time_base))
        packet.stream = self.copy
        if packet.dts is not None and self.copy.type == "audio":
            self.set_apart(packet, packet.dts)
        return packet

    def set_apart(self, packet: "Packet[Stream]", dts: int) -> None:
        """Moves sound that would begin in the same tick of the output as what comes before it.

        A tick of .avi is as long as a packet of sound, and Matroska and FLV round times to milliseconds.
        """
        tick = self.copy.time_base
        assert tick is not None  # the output has begun
        ticks = tick / packet.time_base
        place = floor(dts / ticks + Fraction(1, 2))
        if self.place is not None and place <= self.place:
            place = self.place + 1
            packet.pts = packet.dts = round(place * ticks)
        self.place = place


def shift(packet: "Packet[Stream]", ticks: int) -> None:
    """Moves a packet by that many ticks of its own."""
    packet.pts = None if packet.pts is None else packet.pts + ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks
