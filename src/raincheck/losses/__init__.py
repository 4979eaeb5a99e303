"""Losses, one file each: modules called as `loss(output, target)` on frames `(b, c, h, w)`."""

from raincheck.losses.charbonnier import Charbonnier
from raincheck.losses.psnr import PSNRLoss
from raincheck.losses.ssim_l1 import StructureLoss

__all__ = ["Charbonnier", "PSNRLoss", "StructureLoss"]
