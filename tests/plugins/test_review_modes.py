"""What RainReview keeps, and shows again, in the modes `inputs` and `streaks`."""

import copy
from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from raincheck.errors import ConfigError
from raincheck.plugins import RainReview
from raincheck.rain.layer import lay
from raincheck.video.pixels import to_uint8
from tinytasks import Learned, learn, same, tiny_stream

RAINY = 3 * 3 * 16 * 16  # values of a window of three frames


class Reviewed(SupervisedPlugin):
    """Reviewed rows of every step, as they reach the network, with the model of the end of the previous task."""

    def __init__(self) -> None:
        super().__init__()
        self.old: nn.Module | None = None
        self.steps: list[tuple[int, list[Tensor], nn.Module | None]] = []

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        self.old = copy.deepcopy(strategy.model).eval()

    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        rows = [part[4:].clone() for part in strategy.mbatch]
        self.steps.append((strategy.experience.current_experience, rows, self.old))


def reviewed(**kwargs: Any) -> tuple[RainReview, Reviewed, Learned]:
    review, watch = RainReview(batch=2, **kwargs), Reviewed()
    return review, watch, learn(lambda: [review, watch])


def test_inputs_are_kept_alone_and_their_targets_are_the_old_models() -> None:
    review, watch, learned = reviewed(budget=12 * RAINY, mode="inputs")
    assert [(list(parts), len(parts["rainy"])) for parts, _ in review.tasks] == [(["rainy"], 4)] * 3
    weights = sum(value.nbytes for value in learned.state.values())
    assert review.clip_bytes == 12 * RAINY and review.bytes == 12 * RAINY + weights
    assert all(len(rows[0]) == (2 if position else 0) for position, rows, _ in watch.steps)
    for position, (rainy, target, labels), old in watch.steps:
        if position:
            assert old is not None and (labels < position).all()
            with torch.no_grad():
                assert torch.allclose(target, old(rainy), atol=1e-6)
            assert not target.requires_grad and target.min() >= 0 and target.max() <= 1


def test_streaks_lie_over_the_current_tasks_clean_clips() -> None:
    """A reviewed row is a kept layer over a clean clip of the current task, whose centre is the target."""
    review, watch, _ = reviewed(budget=3 * RAINY * 9 // 8, mode="streaks")
    assert [parts["share"].shape for parts, _ in review.tasks] == [(1, 3, 3, 16, 16)] * 3
    assert review.bytes == review.clip_bytes == 3 * RAINY * 9 // 8  # 9 bits a value, and no clean frame
    stream = tiny_stream().train_stream
    rows = [(position, *row) for position, rows, _ in watch.steps for row in zip(*rows, strict=True)]
    assert len(rows) == 2 * 6 * 2
    for position, rainy, target, label in rows:
        data = stream[position].dataset._datasets[0]
        parts, old = review.tasks[int(label)]
        assert old == label < position
        scenes = [data.pair(index)[1] for index in range(len(data))]
        centre = to_uint8(target)
        # Shown as it is or mirrored, with the same layer each time.
        known = [(scene, flip) for scene in scenes for flip in (0, 1) if torch.equal(mirror(scene[1], flip), centre)]
        assert known
        layer = parts["share"][0], parts["directions"][0]
        if position == 2:  # during the second task there were more layers of the first than are left now
            assert any(torch.equal(mirror(lay(*layer, scene), flip), to_uint8(rainy)) for scene, flip in known)


def mirror(clip: Tensor, flip: int) -> Tensor:
    return clip.flip(-1) if flip else clip


def test_a_layer_over_its_own_scene_is_the_rainy_clip() -> None:
    review, _, _ = reviewed(budget=10**9, mode="streaks")
    for position, experience in enumerate(tiny_stream().train_stream):
        data = experience.dataset._datasets[0]
        parts = review.tasks[position][0]
        rainy = {data.pair(index)[0].numpy().tobytes() for index in range(len(data))}
        relaid = {
            lay(share, directions, data.pair(index)[1]).numpy().tobytes()
            for share, directions in zip(parts["share"], parts["directions"], strict=True)
            for index in range(len(data))
        }
        assert rainy <= relaid


@pytest.mark.parametrize("mode", ["inputs", "streaks"])
def test_a_mode_does_something_and_no_budget_does_nothing(mode: str) -> None:
    plain = learn()
    off = learn(lambda: [RainReview(0, mode=mode)])
    assert off.losses == plain.losses and same(off.state, plain.state)
    on, clips = learn(lambda: [RainReview(10**5, mode=mode)]), learn(lambda: [RainReview(10**5)])
    assert not same(on.state, plain.state) and not same(on.state, clips.state)


def test_what_streaks_cannot_do_without() -> None:
    with pytest.raises(ConfigError, match=r"^RainReview with mode 'streaks' needs the whole clean clip, which only "):
        learn(lambda: [RainReview(10**5, mode="streaks")], stream=tiny_stream(learn="joint"))
    with pytest.raises(ConfigError, match=r"^RainReview cannot have mode 'rain'; choose clips, inputs, streaks$"):
        RainReview(mode="rain")
