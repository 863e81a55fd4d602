"""What optimizers of PyTorch do: their operations without rounding, and the step that most are options of."""
