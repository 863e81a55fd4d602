"""Data sets that come with scikit-learn: nothing is downloaded.

    digits         1797 images of 8 x 8 grey values, 10 classes; as 64 numbers (flat), as an image of one
                   channel (image), as 8 rows of 8 numbers, one a token (tokens)
    breast-cancer  569 samples of 30 numbers, 2 classes
    wine           178 samples of 13 numbers, 3 classes
    diabetes       442 samples of 10 numbers, and one number to be predicted

Four fifths are for training. Inputs are standardised by mean and deviation of those: a column each, of
digits one of each for all pixels, since pixels of the border are constant. So is a number to be predicted.

Source: the pages of scikit-learn, "Toy datasets"; digits are the test set of Alpaydin and Kaynak (1998).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from noether.system.machine import remedy
from noether.system.usage import UsageError, unknown

FLAT, IMAGE, TOKENS = "flat", "image", "tokens"
LOADERS = {
    "digits": "load_digits",
    "breast-cancer": "load_breast_cancer",
    "wine": "load_wine",
    "diabetes": "load_diabetes",
}
FILES = {
    "digits": (("digits.csv.gz",), 0, ","),
    "breast-cancer": (("breast_cancer.csv",), 1, ","),
    "wine": (("wine_data.csv",), 1, ","),
    "diabetes": (("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"), 0, None),
}
"""Data set -> its files in scikit-learn, lines before the numbers, and what is between two of them.

scikit-learn scales the columns of diabetes, which standardising them undoes."""
FORMS = {"digits": {FLAT: (64,), IMAGE: (1, 8, 8), TOKENS: (8, 8)}}
"""Data set -> form -> shape of a sample; every other has the form flat alone."""
TEST = 5  # one sample of so many is for testing
SIDE = 8  # pixels of a digit


@dataclass(frozen=True, eq=False)
class Data:
    """One data set in one form.

    x, test_x  (n, ...) float32, standardised
    y, test_y  (n,) int64 of classes, (n, 1) float32 of numbers
    classes    how many; 0 of numbers
    """

    name: str
    form: str
    x: torch.Tensor
    y: torch.Tensor
    test_x: torch.Tensor
    test_y: torch.Tensor
    classes: int

    @property
    def are_images(self) -> bool:
        """Whether a sample is an image of 8 x 8, in whatever form."""
        return self.name in FORMS


@cache
def data_set(name: str, form: str = FLAT) -> Data:
    """A data set, always split in the same way; its tensors are shared, so write into none of them.

    Raises UsageError for an unknown name or form, and where scikit-learn is not installed.
    """
    if name not in LOADERS:
        raise unknown("data set", name, LOADERS)
    if form not in FORMS.get(name, {FLAT: ()}):
        raise unknown(f"form of the data set {name}", form, FORMS.get(name, (FLAT,)))
    raw, target = loaded(name)
    order = np.random.default_rng(0).permutation(len(raw))
    train, test = np.sort(order[len(raw) // TEST :]), np.sort(order[: len(raw) // TEST])
    axis = None if name in FORMS else 0
    x = _standardised(raw, train, axis)
    shape = FORMS[name][form] if name in FORMS else x.shape[1:]
    x = torch.tensor(x, dtype=torch.float32).reshape(-1, *shape)
    has_classes = np.issubdtype(target.dtype, np.integer)
    if has_classes:
        y = torch.tensor(target, dtype=torch.int64)
    else:
        y = torch.tensor(_standardised(target[:, None], train, 0), dtype=torch.float32)
    parts = [z[torch.from_numpy(chosen)] for chosen in (train, test) for z in (x, y)]
    return Data(name, form, *parts, classes=int(y.max()) + 1 if has_classes else 0)


def loaded(name: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, columns) float64 and (n,) of a data set: from the files that scikit-learn carries, or as it gives
    them where they are elsewhere. Importing sklearn.datasets takes longer than a small training, and 0.1 GB.
    """
    if (found := _carried(name)) is not None:
        return found
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        if error.name != "sklearn":
            raise  # it is there and lacks something of its own
        told = f"the data set {name} comes with scikit-learn, which is not installed"
        raise UsageError(f"{told}: {remedy('scikit-learn')}") from None
    raw, target = getattr(datasets, LOADERS[name])(return_X_y=True)
    return np.asarray(raw, np.float64), np.asarray(target)


def _carried(name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """A data set from the files that scikit-learn carries (1.3 to 1.9); None where one is elsewhere."""
    home = find_spec("sklearn")
    if not home or not home.origin:
        return None
    files, head, delimiter = FILES[name]
    paths = [Path(home.origin).parent / "datasets" / "data" / file for file in files]
    if not all(path.is_file() for path in paths):
        return None
    rows = np.column_stack([np.loadtxt(path, delimiter=delimiter, skiprows=head) for path in paths])
    target = rows[:, -1]
    return rows[:, :-1], target if name == "diabetes" else target.astype(np.int64)


def _standardised(columns: np.ndarray, train: np.ndarray, axis: int | None) -> np.ndarray:
    """Mean 0 and deviation 1 over the samples of `train`, by column, or of all numbers together."""
    return (columns - columns[train].mean(axis=axis)) / columns[train].std(axis=axis)


def augmented(x: torch.Tensor, generator: torch.Generator, *, are_images: bool) -> torch.Tensor:
    """A batch as training often sees it: images shifted by up to a pixel each way, and noise of 0.1 on all.

    x  (n, ...) in any form; what is shifted in from outside has the value of the first pixel of the image,
       which is background
    """
    if are_images:
        x = _shifted(x.reshape(-1, SIDE, SIDE), generator).reshape(x.shape)
    return x + 0.1 * torch.randn(x.shape, generator=generator, dtype=torch.float32).to(x.dtype)


def _shifted(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(n, 8, 8), each shifted by -1, 0 or 1 pixel along both sides."""
    n = len(images)
    wide = images[:, :1, :1].expand(n, SIDE + 2, SIDE + 2).clone()
    wide[:, 1:-1, 1:-1] = images
    down, right = torch.randint(0, 3, (2, n, 1, 1), generator=generator)
    at = torch.arange(SIDE)
    return wide[torch.arange(n)[:, None, None], down + at[:, None], right + at]
