"""What an audit found of somebody's optimizer, in words: on a terminal, as a table of many, on one page."""
