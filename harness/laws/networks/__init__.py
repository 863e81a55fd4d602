"""The laws of networks in training, with real data, torch autograd and torch optimizers."""
