"""What callbacks keep by Lightning's hooks for checkpoints, which are called within an experience, between two as well.

Within one Lightning's own checkpoint has it.
"""

from collections.abc import Iterable
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback


def saves_by_hook(callback: Any) -> bool:
    """Whether a callback has both hooks: what it adds to a checkpoint, it can take out again."""
    hooks = ("on_save_checkpoint", "on_load_checkpoint")
    return all(getattr(type(callback), hook, None) is not getattr(Callback, hook) for hook in hooks)


def given_by_hook(callbacks: Iterable[Any], trainer: Trainer | None) -> dict[str, Any]:
    """What `on_save_checkpoint` of some callbacks adds to a checkpoint.

    Args:
        callbacks: those of the Trainer, of which some may have no such hooks.
        trainer: that has them; None, of a strategy that has not learned, has nothing.
    """
    if trainer is None:
        return {}
    lightnings = _lightnings(trainer, trainer.lightning_module)
    checkpoint = dict(lightnings)
    for callback in filter(saves_by_hook, callbacks):
        callback.on_save_checkpoint(trainer, trainer.lightning_module, checkpoint)
    return {name: value for name, value in checkpoint.items() if name not in lightnings}


def take_by_hook(callbacks: Iterable[Any], trainer: Trainer, loop: LightningModule, given: dict[str, Any]) -> None:
    """Has `on_load_checkpoint` of the callbacks take up what `given_by_hook` found, before a Trainer runs a loop."""
    checkpoint = {**_lightnings(trainer, loop), **given}
    for callback in filter(saves_by_hook, callbacks):
        callback.on_load_checkpoint(trainer, loop, checkpoint)


def _lightnings(trainer: Trainer, loop: LightningModule) -> dict[str, Any]:
    """What such a hook may read in a checkpoint of Lightning's."""
    return {"epoch": trainer.current_epoch, "global_step": trainer.global_step, "state_dict": loop.state_dict()}
