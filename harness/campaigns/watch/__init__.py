"""Watching a training run of anybody: the laws of its steps and gradients, from hooks alone."""
