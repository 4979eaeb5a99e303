import math

import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from raincheck.errors import ConfigError
from raincheck.losses import Charbonnier, PSNRLoss, StructureLoss


def photograph() -> torch.Tensor:
    return torch.from_numpy(data.astronaut()[:64, 100:180]).permute(2, 0, 1)[None].double() / 255


def test_charbonnier_closed_forms() -> None:
    target = torch.zeros(2, 3, 4, 5, dtype=torch.float64)
    assert Charbonnier(1e-3)(target, target).item() == pytest.approx(1e-3)
    assert Charbonnier(0.3)(target + 0.4, target).item() == pytest.approx(0.5)
    assert Charbonnier(0.0)(target - 0.25, target).item() == 0.25
    # Half the pixels off by 3 epsilon, half by 0.
    target[..., ::2, :] = 0.3
    assert Charbonnier(0.1)(target, torch.zeros_like(target)).item() == pytest.approx(0.1 * (1 + math.sqrt(10)) / 2)


def test_structure_loss_is_its_two_terms() -> None:
    target = photograph()
    output = (target + 0.1 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    l1 = (output - target).abs().mean().item()
    _, similarity = structural_similarity(
        output[0].numpy(),
        target[0].numpy(),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    # The tolerance is for the borders, where scikit-image repeats the last pixel and kornia does not.
    assert StructureLoss(0.0, 1.0)(output, target).item() == pytest.approx(1 - similarity.mean(), abs=2e-3)
    assert StructureLoss(1.0, 0.0)(output, target).item() == pytest.approx(l1)
    structure = StructureLoss(0.0, 1.0)(output, target).item()
    assert StructureLoss()(output, target).item() == pytest.approx(0.75 * l1 + 1.1 * structure)
    assert 0 < similarity.mean() < 0.9, "the noise must show"


@pytest.mark.parametrize("loss", [Charbonnier(), StructureLoss(), StructureLoss(0.0, 1.0)], ids=repr)
def test_gradients(loss: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(3)
    output, target = torch.rand(2, 1, 3, 12, 13, generator=generator, dtype=torch.float64)
    output.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target), (output,), atol=1e-6)
    loss(output, target).backward()
    assert output.grad is not None
    stepped = output.detach() - 1e-3 * output.grad / output.grad.norm()
    assert loss(stepped, target) < loss(output, target)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_structure_loss_of_equal_flat_frames_is_nothing_and_has_a_finite_gradient(level: float) -> None:
    frame = torch.full((1, 3, 16, 16), level, requires_grad=True)
    loss = StructureLoss()(frame, frame.detach())
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-3)
    assert frame.grad is not None and frame.grad.isfinite().all()


def test_structure_loss_says_how_small_frames_may_be() -> None:
    assert StructureLoss()(torch.zeros(1, 3, 6, 6), torch.zeros(1, 3, 6, 6)).item() == pytest.approx(0, abs=1e-4)
    with pytest.raises(ConfigError, match=r"^frames of 6x5 are too small for StructureLoss, which needs 6x6 pixels; "):
        StructureLoss()(torch.zeros(1, 3, 5, 6), torch.zeros(1, 3, 5, 6))


def test_psnr_loss_is_the_mean_over_frames_of_the_negative_psnr() -> None:
    target = photograph().repeat(2, 1, 1, 1)
    output = target + torch.tensor([0.01, 0.1], dtype=torch.float64)[:, None, None, None]
    both = [peak_signal_noise_ratio(t.numpy(), o.numpy(), data_range=1) for t, o in zip(target, output, strict=True)]
    assert both == pytest.approx([40, 20])
    assert PSNRLoss(floor=0)(output, target).item() == pytest.approx(-30)
    assert PSNRLoss(floor=1e-4)(target, target).item() == pytest.approx(-40)
