"""The theorem in continuous time, T1 to T5: charges along solutions of the equations of motion
(theory.md#T1)."""
