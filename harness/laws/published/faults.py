"""What P1 to P6 must see: statements as published and wrong ones, by the names that records keep."""

from __future__ import annotations

from noether.laws.law import WrongStatement as Fault

WHITE_AS_COHERENT = Fault("Eq. 17 for white minibatch noise")
NOISE_LAW = Fault("the noise law off by 2^-10")
COHERENT = Fault("Eq. 17 off by 2^-10")
START_ZERO = Fault("the closed form from velocity 0")
BUFFER = Fault("the squared buffer for the squared velocity")
OTHER_FACTOR = Fault("1/(1-beta)^2 for 1/(1-tau)^2")
TELLS_A_GRADIENT = Fault("passing tells a gradient from random vectors")
RADIAL = Fault("a radial part of 2^-10")
FRICTION_OVER_MASS = Fault("the rate 2 (1 - beta)/(1 + beta)")
EULER_LAGRANGE = Fault("Euler-Lagrange as the second-order model")
