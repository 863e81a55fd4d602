"""The kill matrix in words: on a terminal, as a page, and for machines."""
