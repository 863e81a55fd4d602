"""Networks that are trained: their symmetries, and what the laws say of their real gradients and steps."""
