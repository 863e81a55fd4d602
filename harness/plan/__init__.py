"""From words to cells: what was chosen, and which cells show it."""
