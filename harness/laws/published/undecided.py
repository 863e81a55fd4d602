"""Published statements that were measured in part here, or not at all. One that is decided leaves this list
for book.py or elsewhere.py: a test holds that none stands in two of them."""

from __future__ import annotations

from dataclasses import dataclass

from noether.laws.published.book import MECHANICS, NLD


@dataclass(frozen=True)
class Undecided:
    """A statement and its source.

    partly  laws that measure a part of it
    read    False where the formula is still to be compared with the source
    """

    statement: str
    source: str
    partly: tuple[str, ...] = ()
    read: bool = True


SPHERICAL = "Wan et al. (2020), arXiv 2006.08419"
MARCOTTE = "Marcotte, Gribonval, Peyre"
UNDECIDED = (
    Undecided(
        "The theorem holds at a mass and a friction that change over time as in Table 1.",
        f"{NLD}, Eq. 8 to 11",
        ("T1",),
    ),
    Undecided(
        "Nesterov's method is q̈ + (3/t) q̇ + ∇f = 0, so that a charge of a kinetic symmetry decays as t^-3.",
        f"{NLD}, Table 1",
    ),
    Undecided(
        "Nesterov's method with momentum n/(n + 3) follows that equation to first order in the root of the "
        "step size.",
        "Su, Boyd, Candes (2016)",
    ),
    Undecided(
        "The Bregman kinetic energy is the quadratic form of hess h up to terms of e^(−2 α).",
        f"{NLD}, Eq. 7",
    ),
    Undecided("The kinetic source of the scale symmetry is e^(−2 α) |q̇|².", f"{NLD}, section 2", ("T1",)),
    Undecided("The direction of a normalised weight follows m q̂'' + μ q̂' = -ĝ/r².", f"{NLD}, Eq. 15"),
    Undecided(
        "In the equation of the squared norm |q̇|² may be replaced by |ĝ|²/(μ² r²).",
        f"{NLD}, Eq. 16",
        ("S1", "S2", "N5"),
    ),
    Undecided(
        "Normalisation with momentum and decay is RMSProp with 1 - ρ = 4 η k/(1 - β).",
        f"{NLD}, Eq. 18",
        ("S4", "N9"),
    ),
    Undecided(
        "Under the scale-invariant Fisher metric the charge of natural gradient is zero for ever.",
        f"{NLD}, natural gradient",
    ),
    Undecided(
        "Under plain steps the charge of a translation decays as e^(-k t).",
        f"{MECHANICS}, translation",
        ("D6", "N8"),
    ),
    Undecided(
        "|q|² = e^(−2 k t) |q₀|² + η times the damped integral of |g|², and for a rescaling the "
        "difference of two such.",
        f"{MECHANICS}, scale and rescale",
        ("D5", "S1", "N8"),
    ),
    Undecided(
        "With momentum charges are harmonic oscillators with three regimes of damping.",
        f"{MECHANICS}, momentum",
        ("P2",),
    ),
    Undecided(
        "Gradient descent follows the flow of f + (η/4) |g|² to second order.",
        "Barrett, Dherin (2021), arXiv 2009.11162",
        ("O3",),
    ),
    Undecided(
        "The mean of an epoch of minibatches follows the flow of f + (η/4m) Σ |gᵢ|².",
        "Smith et al. (2021), arXiv 2101.12176",
    ),
    Undecided(
        "Gradient flow of U V^T has rk(2r + 1 - rk)/2 independent conserved quantities, and each hidden unit "
        "of a ReLU network one.",
        f"{MARCOTTE} (2023), arXiv 2307.00144",
        ("M1",),
    ),
    Undecided(
        "With momentum only the part of the rotations is conserved, and of a ReLU network nothing.",
        f"{MARCOTTE} (2024), arXiv 2405.12888",
        ("M1",),
    ),
    Undecided(
        "Non-negative factorisation by mirror flow has conserved quantities, and with momentum none.",
        f"{MARCOTTE} (2024), arXiv 2405.12888",
    ),
    Undecided(
        "Attention conserves Q^T Q - K^T K and V^T V - O^T O for each head; skip connections change nothing.",
        f"{MARCOTTE} (2025), arXiv 2506.06194",
        ("D4",),
    ),
    Undecided(
        "General linear symmetries of networks with activations have charges of their own.",
        "Zhao et al. (2022), arXiv 2210.17216",
        read=False,
    ),
    Undecided(
        "A rotation of inputs and outputs gives laws of balance of a network.",
        "Gluch, Urbanke (2021), arXiv 2104.05508",
        read=False,
    ),
    Undecided(
        "With decay the norm of a layer settles at |w|⁴ = η L/(2 k), and with momentum at a stated "
        "multiple; the angle per step is √(2 k η/(1 + β)).",
        SPHERICAL,
        ("S3", "N5"),
    ),
    Undecided(
        "After the learning rate is divided by K, at least log(K) (1 - β)/(2 k η) steps pass until the "
        "norm has settled again.",
        SPHERICAL,
    ),
    Undecided(
        "Under AdamW the angle per step settles at √(2 η k (1 - β₁)/(1 + β₁)); other optimizers have theirs.",
        "Kosson et al. (2023), arXiv 2305.17212",
        read=False,
    ),
    Undecided(
        "The fourth power of the norm forgets its start in some 1/(η k) steps.",
        "Li, Lyu, Arora (2020), arXiv 2010.02916",
        ("S2",),
    ),
    Undecided(
        "On a scale-invariant loss weight decay is exactly an exponentially growing learning rate.",
        "Li, Arora (2019), arXiv 1910.07454",
        ("N7",),
    ),
    Undecided(
        "With decay scale-invariant training is periodic near the origin.",
        "Lobacheva et al. (2021), arXiv 2106.15739",
        read=False,
    ),
    Undecided(
        "Under gradient noise an exponential symmetry has one fixed point, whatever the start.",
        "Ziyin et al. (2024), arXiv 2402.07193",
        ("D9",),
    ),
    Undecided(
        "In a stationary state <q, g + k q> = (1 + β) <|v|²>/(2 η).",
        "Yaida (2018), arXiv 1810.00004",
        ("D12",),
    ),
    Undecided(
        "Heavy ball and Nesterov differ by the term √(s) H q̇ of their high-resolution equations.",
        "Shi et al. (2021)",
    ),
    Undecided(
        "Heavy ball follows the rescaled gradient flow to first order and the damped equation to second.",
        "Kovachki, Stuart (2021)",
        ("O3",),
        read=False,
    ),
    Undecided(
        "Heavy ball and Nesterov are variational integrators of a Lagrangian that depends on time.",
        "Muehlebach, Jordan; Campos et al. (2023), arXiv 2106.02700",
        ("D1",),
    ),
    Undecided(
        "Heavy ball diverges on a quadratic exactly where η λ > 2 (1 + β), Nesterov at 2 (1 + β)/(1 + 2 β).",
        "Cohen et al. (2021), arXiv 2103.00065",
    ),
    Undecided(
        "Lion with decoupled decay enters |x|_max <= 1/k at the rate (1 - η k)ⁿ and never leaves it.",
        "Chen et al. (2023), arXiv 2310.05898",
    ),
    Undecided(
        "AdamW minimises under the constraint |x|_max <= 1/k.",
        "Xie, Li (2024), arXiv 2404.04454",
        read=False,
    ),
)
