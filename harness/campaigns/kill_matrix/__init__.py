"""The kill matrix: every planted fault is shown to the laws, and some law must see it."""
