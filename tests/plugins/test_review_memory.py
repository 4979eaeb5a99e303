"""RainReview: a memory of clips with a budget in bytes."""

from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor

from raincheck.errors import ConfigError
from raincheck.plugins import RainReview
from tinytasks import learn, same, tiny_stream, tiny_tasks

CLIP = (3 * 3 + 3) * 16 * 16  # bytes: a window of three frames and a clean centre


class Watch(SupervisedPlugin):
    """Writes down every batch as the network sees it, and the memory at the end of every task."""

    def __init__(self, review: RainReview | None = None) -> None:
        super().__init__()
        self.batches: list[list[Tensor]] = []
        self.kept: list[list[tuple[int, int]]] = []
        self.review = review

    def after_forward(self, strategy: Any, **kwargs: Any) -> None:
        self.batches.append([part.clone() for part in strategy.mbatch])

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if self.review:
            self.kept.append([(label, len(parts["rainy"])) for parts, label in self.review.tasks])
            assert self.review.bytes <= self.review.budget


def watched(**kwargs: Any) -> tuple[RainReview, Watch]:
    review = RainReview(**kwargs)
    watch = Watch(review)
    learn(lambda: [review, watch])
    return review, watch


def test_equal_shares_that_shrink_within_the_budget() -> None:
    review, watch = watched(budget=12 * CLIP + 100, batch=2)
    assert watch.kept == [[(0, 12)], [(0, 6), (1, 6)], [(0, 4), (1, 4), (2, 4)]]
    assert review.bytes == 12 * CLIP and len(review) == 12
    assert all(part.dtype == torch.uint8 for parts, _ in review.tasks for part in parts.values())
    # The bytes are what the tensors really hold, not views of larger ones.
    stores = [part.untyped_storage() for parts, _ in review.tasks for part in parts.values()]
    assert sum(store.nbytes() for store in stores) == review.bytes


def test_a_large_budget_keeps_each_sample_once() -> None:
    review, watch = watched(budget=10**9)
    assert watch.kept[-1] == [(0, 24), (1, 24), (2, 24)]
    for experience, (parts, _) in zip(tiny_stream().train_stream, review.tasks, strict=True):
        samples = sorted((item[0] * 255).round().byte().numpy().tobytes() for item in experience.dataset)
        assert sorted(clip.numpy().tobytes() for clip in parts["rainy"]) == samples


def test_kept_clips_are_those_of_the_task() -> None:
    review, _ = watched(budget=12 * CLIP)
    for experience, (parts, label) in zip(tiny_stream().train_stream, review.tasks, strict=True):
        assert label == experience.current_experience
        seen = {(item[0] * 255).round().byte().numpy().tobytes(): item[1] for item in experience.dataset}
        for clip, centre in zip(parts["rainy"], parts["clean"], strict=True):
            assert torch.equal(centre, (seen[clip.numpy().tobytes()] * 255).round().byte())


def test_reviewed_rows_follow_the_new_ones_with_their_labels() -> None:
    review, watch = watched(budget=12 * CLIP, batch=2)
    plain = Watch()
    learn(lambda: [plain])
    assert [len(batch[0]) for batch in watch.batches] == [4] * 6 + [6] * 12
    for batch, without in zip(watch.batches, plain.batches, strict=True):
        assert all(torch.equal(part[:4], own) for part, own in zip(batch, without, strict=True))
    assert all(set(batch[2][4:].tolist()) == {0} for batch in watch.batches[6:12])
    assert {label for batch in watch.batches[12:] for label in batch[2][4:].tolist()} == {0, 1}
    # Every reviewed row is a clip of the memory, or its mirror image, with its own clean centre.
    known = {
        mirror(clip, flip).numpy().tobytes(): (mirror(centre, flip), flip)
        for parts, _ in review.tasks[:2]
        for clip, centre in zip(parts["rainy"], parts["clean"], strict=True)
        for flip in (0, 1)
    }
    flips = set()
    for batch in watch.batches[12:]:
        for row, centre in zip(batch[0][4:], batch[1][4:], strict=True):
            found = known.get((row * 255).round().byte().numpy().tobytes())
            if found is not None:  # the shares have shrunk since: some reviewed clips are gone by now
                assert torch.equal(found[0], (centre * 255).round().byte())
                flips.add(found[1])
    assert flips == {0, 1}


def mirror(clips: Tensor, flip: int) -> Tensor:
    return clips.flip(-1).contiguous() if flip else clips


def test_the_old_videos_may_be_gone() -> None:
    """The same bits whether or not the videos of finished tasks still show what they showed."""

    class Burn(SupervisedPlugin):
        def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
            task = tasks[strategy.experience.current_experience]
            for video in task.train:
                video.rainy.fill_(0)
                video.clean.fill_(255)

    tasks: list[Any] = tiny_tasks()
    burnt = learn(lambda: [RainReview(12 * CLIP), Burn()], stream=tiny_stream(tasks=tasks))
    assert all(video.rainy.max() == 0 for task in tasks for video in task.train)
    intact = learn(lambda: [RainReview(12 * CLIP)])
    assert same(burnt.state, intact.state)
    assert not same(intact.state, learn().state)  # review does something


def test_the_seed_decides_and_nothing_else() -> None:
    first, again, other = (watched(budget=12 * CLIP, seed=seed)[0].state_dict()["tasks"] for seed in (5, 5, 6))
    assert all(torch.equal(a["parts"]["rainy"], b["parts"]["rainy"]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0]["parts"]["rainy"], other[0]["parts"]["rainy"])


def test_the_state_goes_around() -> None:
    review, _ = watched(budget=12 * CLIP)
    copy = RainReview(12 * CLIP)
    copy.load_state_dict(review.state_dict())
    assert copy.bytes == review.bytes
    for old, new in zip(review.tasks, copy.tasks, strict=True):
        assert same(old[0], new[0]) and old[1] == new[1]


def test_a_budget_below_one_clip_a_task_is_refused_before_any_step() -> None:
    watch = Watch()
    with pytest.raises(ConfigError) as error:
        learn(lambda: [RainReview(3 * CLIP - 1), watch])
    assert str(error.value) == (
        f"a review budget of {3 * CLIP - 1} bytes gives each of 3 tasks {CLIP - 1} bytes, and one clip takes {CLIP}; "
        f"raise the budget to {3 * CLIP} or more, or set it to 0"
    )
    assert not watch.batches
    assert watched(budget=3 * CLIP)[1].kept[-1] == [(0, 1), (1, 1), (2, 1)]


@pytest.mark.parametrize("arguments", [{"budget": -1}, {"batch": 0}])
def test_numbers_out_of_range(arguments: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"^RainReview cannot have budget .*; give a budget of 0 or more and a batch"):
        RainReview(**arguments)
