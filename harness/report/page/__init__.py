"""The page report.html, one file without network: what holds, how tightly, and where it breaks.

page        the whole page
overview    the laws in one table, the law x case grid, the planted faults
exhibits    what moves a charge, the response to breaking, the map, normalisation, published claims
law         one law: its figures, its claim, the points nearest to their limit
plots       Record.data as figures.panel takes it
"""
