"""For those who use Lightning only: one rain, a plain `Trainer.fit`, your callbacks; then derain with the best weights.

    python examples/lightning_fit.py

Takes half a minute, and writes into runs/lightning_fit: checkpoints, the best network as
weights.safetensors, which `raincheck derain --weights` takes too, and derained.mp4.
"""

from functools import partial
from pathlib import Path

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from raincheck import derain
from raincheck.datasets.rendered import RenderedRain
from raincheck.module import DerainModule, RainDataModule
from raincheck.networks import RRGNet, save_weights

OUT = Path("runs/lightning_fit")


def main() -> None:
    seed_everything(0)
    # Rain over films of photographs that come with scikit-image and scikit-learn; `train=["my.mp4"]` takes videos.
    rain = RenderedRain("thin", "thin", photographs="bundled", test_frames=8, test_size=(96, 96)).task(seed=0)
    data = RainDataModule(rain, crop=48, samples=400)
    module = DerainModule(RRGNet(width=16, depth=1), optimizer=partial(torch.optim.Adam, lr=0.003))
    best = ModelCheckpoint(OUT / "checkpoints", monitor="val/psnr_y", mode="max")
    patience = EarlyStopping("val/psnr_y", mode="max", patience=2)
    trainer = Trainer(max_epochs=4, accelerator="auto", devices=1, logger=False, callbacks=[best, patience])
    trainer.validate(module, data)
    trainer.fit(module, data)

    learned = DerainModule.load_from_checkpoint(best.best_model_path, network=RRGNet(width=16, depth=1))
    trainer.validate(learned, data)
    save_weights(learned.network, OUT / "weights.safetensors")
    rainy, _ = rain.test[0].read(0, 8)  # uint8 (t, c, h, w); a file or a folder of frames will do as well
    print(f"written to {derain(rainy, OUT / 'derained.mp4', weights=OUT / 'weights.safetensors')}")


if __name__ == "__main__":
    main()
