"""DER: stored are the outputs of then; the terms and their gradient by hand."""

import copy
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.plugins import DER
from raincheck.video.pixels import to_float, to_uint8
from tinytasks import learn

CLIP = (3 * 3 + 3) * 16 * 16  # bytes: a window of three frames and an output


class Then(SupervisedPlugin):
    """The model of the end of each task."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[nn.Module] = []

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.models.append(copy.deepcopy(strategy.model).eval())


def test_stored_outputs_are_what_the_network_said_then() -> None:
    der, then = DER(budget=12 * CLIP), Then()
    learn(lambda: [der, then])
    assert [(label, len(parts["output"])) for parts, label in der.tasks] == [(0, 4), (1, 4), (2, 4)]
    assert der.bytes == der.clip_bytes == 12 * CLIP
    for (parts, label), now in zip(der.tasks, [then.models[2]] * 3, strict=True):
        with torch.no_grad():
            said, says = (model(to_float(parts["rainy"])) for model in (then.models[label], now))
        assert ((to_float(parts["output"]) - said).abs() <= 0.5 / 255 + 1e-5).all()
        assert torch.equal(parts["output"], to_uint8(says)) == (label == 2)  # and not what it says now


@pytest.mark.parametrize(("alpha", "beta"), [(3.0, 0.0), (0.0, 2.0), (3.0, 2.0)])
def test_terms_and_gradient_by_hand(alpha: float, beta: float) -> None:
    """The draws are watched, the rest is computed from them; the criterion of new clips is off."""
    drawn: list[dict[str, Tensor]] = []
    steps = 0

    class Watched(DER):
        def draw(self, *arguments: Any, **options: Any) -> Any:
            clips = super().draw(*arguments, **options)
            drawn.append(clips[0])
            return clips

    der = Watched(alpha, beta, budget=10**6, batch=3)

    class Check(SupervisedPlugin):
        def after_backward(self, strategy: Any, **kwargs: Any) -> None:
            nonlocal steps
            if strategy.experience.current_experience == 0:
                assert not drawn and der.terms == {}
                return
            twin = copy.deepcopy(strategy.model)
            twin.zero_grad()
            clips = iter(drawn)
            by_hand = {}
            if alpha:
                shown = next(clips)
                by_hand["der/output"] = alpha * (twin(shown["rainy"]) - shown["output"]).square().mean()
            if beta:
                shown = next(clips)
                by_hand["der/clean"] = beta * (twin(shown["rainy"]) - shown["clean"]).abs().mean()
            assert by_hand.keys() == der.terms.keys()
            assert all(torch.allclose(term, der.terms[name], rtol=1e-5) for name, term in by_hand.items())
            new = (twin(strategy.mb_x) - strategy.mb_y).abs().mean()
            (new + sum(by_hand.values())).backward()
            for p, q in zip(strategy.model.parameters(), twin.parameters(), strict=True):
                assert torch.allclose(p.grad, q.grad, rtol=1e-3, atol=1e-7)
            if len(drawn) == 2:
                assert not torch.equal(drawn[0]["rainy"], drawn[1]["rainy"])  # two draws
            drawn.clear()
            steps += 1

    learn(lambda: [der, Check()])
    assert steps == 12


def test_clips_come_back_with_their_own_output() -> None:
    der = DER(budget=10**6, batch=3)
    learned = learn(lambda: [der])
    clips, labels = der.draw(learned.strategy)
    known = {
        (side(rainy, flip).tobytes(), side(output, flip).tobytes(), label)
        for parts, label in der.tasks
        for rainy, output in zip(parts["rainy"], parts["output"], strict=True)
        for flip in (0, 1)
    }
    for rainy, output, label in zip(clips["rainy"], clips["output"], labels, strict=True):
        assert (side(to_uint8(rainy)).tobytes(), side(to_uint8(output)).tobytes(), int(label)) in known


def side(clip: Tensor, flip: int = 0) -> Any:
    return (clip.flip(-1) if flip else clip).contiguous().numpy()


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^DER cannot have weights alpha -1 and beta 0.0; give 0 or more$"):
        DER(-1)
