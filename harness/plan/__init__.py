"""From words to cells: cases of the catalogue and of the user, what was chosen, and what is run of it."""
