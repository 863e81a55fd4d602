"""Probes: small experiments on how an optimizer behaves beside its rule."""
