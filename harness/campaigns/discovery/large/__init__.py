"""Discovery for losses of many parameters, where no matrix of all affine fields fits.

gradients.py  the gradient as a traced program: in 64 bits at many points, and at 50 digits with a witness
kernels.py    the fields of a small class that the loss keeps: singular values, and a gap, as nullspace.py
fields.py     a field as its few entries
classes.py    translations, diagonal fields, and the fields of two parameters: each class searched whole
families.py   rotations of all pairs of many parameters as one family
sample.py     a random field less all that the loss breaks of it: what is left is a random symmetry, or
              nothing
finding.py    all of it, in order, and what may be said
estimate.py   seconds and bytes, before anything is done
"""
