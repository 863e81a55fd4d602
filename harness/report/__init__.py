"""Words and pictures, made from records and the book of laws: nothing is measured here."""
