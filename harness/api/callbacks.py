"""The watch as a callback: of PyTorch Lightning, and of the Trainer of transformers.

Each class is made when it is asked for, since its base belongs to a package that is not needed otherwise.
"""

from __future__ import annotations

from noether.api.extras import needed
from noether.api.watch import watch


def lightning_callback(**options):
    """A callback for lightning.Trainer(callbacks=[...]) that watches the training.

    options  those of noether.watch

    Its `watch` is what noether.watch gives, from the beginning of the training on: callback.watch.report().
    Raises ExtraMissing where neither lightning nor pytorch_lightning is installed.
    """
    base = lightning()

    class Watching(base):
        """The watch of one training."""

        watch = None

        def on_train_start(self, trainer, pl_module) -> None:
            self.watch = watch(pl_module, list(trainer.optimizers), **options)

        def on_train_end(self, trainer, pl_module) -> None:
            self.watch.close()

        def on_exception(self, trainer, pl_module, exception) -> None:
            if self.watch is not None:
                self.watch.close()

    return Watching()


def trainer_callback(**options):
    """A callback for transformers.Trainer(callbacks=[...]) that watches the training.

    options  those of noether.watch

    Its `watch` is what noether.watch gives, from the beginning of the training on: callback.watch.report().
    Raises ExtraMissing where transformers is not installed.
    """
    base = needed("transformers", "trainer_callback").TrainerCallback

    class Watching(base):
        """The watch of one training."""

        watch = None

        def on_train_begin(self, args, state, control, model=None, optimizer=None, **more) -> None:
            self.watch = watch(model, optimizer, **options)

        def on_train_end(self, args, state, control, **more) -> None:
            self.watch.close()

    return Watching()


def lightning() -> type:
    """The class of callbacks of whichever package of Lightning is there. Raises ExtraMissing."""
    try:
        return needed("lightning.pytorch", "lightning_callback").Callback
    except ImportError:
        return needed("pytorch_lightning", "lightning_callback").Callback
