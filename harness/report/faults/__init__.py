"""The kill matrix as a table, as pages, and as plain data."""
