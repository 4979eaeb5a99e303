"""GEM and A-GEM: projections against the formula, a hand-solved case and scipy; gradients of a run that obey them."""

import copy
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from scipy.optimize import nnls
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins import AGEM, GEM
from raincheck.plugins.gem import project, project_all
from tinytasks import learn


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", range(8))
def test_one_reference(seed: int) -> None:
    gradient, reference = random(2, 50, seed=seed)
    along = gradient @ reference
    result = project(gradient, reference)
    if along >= 0:
        assert torch.equal(result, gradient)
    else:
        assert torch.allclose(result, gradient - along / reference.square().sum() * reference)
        assert abs(float(result @ reference)) < 1e-4
    # One constraint without a margin is the same programme.
    assert torch.allclose(project_all(gradient, reference[None]), result, atol=1e-4)


def test_two_references_by_hand() -> None:
    """Orthogonal references part the programme in two: `v_k = max(margin, -r_k.g / r_k.r_k)`."""
    references = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    gradient = torch.tensor([-1.0, 5.0, 7.0])
    assert torch.allclose(project_all(gradient, references), torch.tensor([0.0, 5.0, 7.0]), atol=1e-4)
    assert torch.allclose(project_all(gradient, references, 0.3), torch.tensor([0.0, 5.3, 7.0]), atol=1e-4)
    assert torch.allclose(project_all(gradient, references, 0.75), torch.tensor([0.5, 5.75, 7.0]), atol=1e-4)
    assert torch.allclose(project_all(gradient, references, 1), torch.tensor([1.0, 6.0, 7.0]), atol=1e-4)
    harmless = torch.tensor([1.0, 5.0, 7.0])
    assert torch.equal(project_all(harmless, references, 0.3), harmless)


def test_the_margin_that_is_asked_for_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    gem, references = GEM(0.75), torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    monkeypatch.setattr(gem, "tasks", [None, None])
    monkeypatch.setattr(gem, "reference", lambda strategy, tasks, salt: references[tasks].sum(0))
    found = gem.projected(None, torch.tensor([-1.0, 5.0, 7.0]))
    assert torch.allclose(found, torch.tensor([0.5, 5.75, 7.0]), atol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_many_references_against_scipy(seed: int) -> None:
    """Without a margin the dual is a least squares with non-negative unknowns, `min |R^T v + g|`, `v >= 0`."""
    references, gradient = random(4, 30, seed=seed), random(30, seed=100 + seed)
    v, _ = nnls(references.T.double().numpy(), -gradient.double().numpy())
    result = project_all(gradient, references)
    assert torch.allclose(result, gradient + references.T @ torch.from_numpy(v).float(), atol=1e-4)
    assert (references @ result >= -1e-3).all()


def test_parallel_references_are_no_difficulty() -> None:
    reference = random(30)
    assert torch.allclose(project_all(-reference, torch.stack([reference] * 3)), torch.zeros(30), atol=1e-4)


class Check(SupervisedPlugin):
    """Placed behind the plugin: the gradient as it is now, and as it was, against the references of that step."""

    def __init__(self, plugin: AGEM) -> None:
        super().__init__()
        self.plugin, self.projected, self.steps = plugin, 0, 0

    def after_backward(self, strategy: Any, **kwargs: Any) -> None:
        if not self.plugin.tasks:
            return
        self.steps += 1
        now = torch.cat([p.grad.flatten() for p in strategy.model.parameters()])
        twin = copy.deepcopy(strategy.model)
        before = flat(twin, strategy.mb_x, strategy.mb_y)
        draws = (
            [(slice(None), ())]
            if type(self.plugin) is AGEM
            else [(slice(k, k + 1), (k,)) for k in range(len(self.plugin.tasks))]
        )
        references = []
        for draw in draws:
            clips, _ = self.plugin.draw(strategy, *draw)
            references.append(flat(twin, clips["rainy"], clips["clean"]))
        along = torch.stack(references) @ now
        assert (along >= -1e-3 * now.norm() * max(r.norm() for r in references)).all()
        if any(before @ r < 0 for r in references):
            self.projected += 1
            assert not torch.allclose(now, before, rtol=1e-3)
        else:
            assert torch.allclose(now, before, rtol=1e-3, atol=1e-6)


def flat(model: Any, rainy: Tensor, clean: Tensor) -> Tensor:
    """Gradient of the L1 loss."""
    model.zero_grad()
    (model(rainy) - clean).abs().mean().backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


@pytest.mark.parametrize("plugin", [AGEM(10**5), GEM(0.0, 10**5)], ids=["a-gem", "gem"])
def test_no_step_of_a_run_harms_the_clips_of_that_step(plugin: AGEM) -> None:
    check = Check(plugin)
    learn(lambda: [plugin, check])
    assert check.steps == 12 and check.projected > 0


@pytest.mark.parametrize("plugin", [AGEM, GEM])
def test_accumulated_gradients_are_refused_when_built(plugin: type[AGEM]) -> None:
    with pytest.raises(ConfigError, match=rf"^{plugin.__name__} works on the gradient of one batch, which gradient "):
        learn(lambda: [plugin()], trainer={"accumulate_grad_batches": 2})


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^GEM cannot have margin -1; give 0 or more$"):
        GEM(-1)
