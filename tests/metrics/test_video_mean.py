import math
import sys

import torch

from program import finish
from raincheck.metrics.video_mean import VideoMean


def test_videos_weigh_the_same_whatever_their_length() -> None:
    mean = VideoMean(3)
    mean.update(torch.tensor([10.0, 20.0, 40.0]), torch.tensor([0, 0, 2]))
    mean.update(torch.tensor([30.0]), torch.tensor([0]))
    # Video 0: (10 + 20 + 30) / 3; video 1 has no frame; video 2: 40.
    assert mean.compute().item() == (20 + 40) / 2
    mean.reset()
    mean.update(torch.tensor([]), torch.tensor([], dtype=torch.int64))
    assert math.isnan(mean.compute().item())


def test_two_processes_add_up() -> None:
    values, videos = torch.rand(12, dtype=torch.float64), torch.arange(12) % 3
    whole, parts = VideoMean(3), [VideoMean(3), VideoMean(3)]
    whole.update(values, videos)
    for rank, part in enumerate(parts):
        part.update(values[rank::2], videos[rank::2])
    for state in ("sums", "counts"):  # what dist_reduce_fx="sum" does
        setattr(parts[0], state, getattr(parts[0], state) + getattr(parts[1], state))
    assert math.isclose(parts[0].compute().item(), whole.compute().item(), rel_tol=1e-14)
    assert all(reduction.__name__ == "dim_zero_sum" for reduction in whole._reductions.values())


def test_pure_metrics_and_losses_import_nothing_heavy() -> None:
    script = (
        "import sys, raincheck.metrics, raincheck.losses; "
        "print(*{'lightning', 'avalanche', 'torchmetrics', 'torchvision', 'wandb', 'matplotlib'} & set(sys.modules))"
    )
    found = finish([sys.executable, "-c", script], check=True)
    assert found.stdout.strip() == ""
