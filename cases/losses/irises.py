"""Six irises: the data that the cases share.

Samples 1, 2 (setosa), 51, 52 (versicolor), 101, 102 (virginica) of R. Fisher, The use of multiple
measurements in taxonomic problems, Annals of Eugenics 7 (1936): sepal length and width, petal length and
width, in tenths of a cm. Units of a power of two of them make every number a binary fraction: all backends
read the same data.
"""

TENTHS = (
    (51, 35, 14, 2),
    (49, 30, 14, 2),
    (70, 32, 47, 14),
    (64, 32, 45, 15),
    (63, 33, 60, 25),
    (58, 27, 51, 19),
)
SPECIES = (0, 0, 1, 1, 2, 2)

PETALS = tuple((length / 32, width / 16) for _, _, length, width in TENTHS)
CENTRED = tuple((length - 1, width - 1) for length, width in PETALS)
LENGTHS = tuple((sepal / 64, petal / 64) for sepal, _, petal, _ in TENTHS)
# These two are hardly correlated.
SEPAL_WIDTH_PETAL_LENGTH = tuple((width / 8, length / 32) for _, width, length, _ in TENTHS)
WIDTHS = tuple(width / 32 for *_, width in TENTHS)
