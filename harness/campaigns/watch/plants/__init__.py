"""Training scripts with mistakes in them, each beside the same script without."""

from noether.campaigns.watch.plants import held, layers, loops, steps
from noether.campaigns.watch.plants.plant import PLANTS, Plant

__all__ = ["PLANTS", "Plant", "held", "layers", "loops", "steps"]
