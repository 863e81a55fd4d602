"""Records as columns: a pandas or polars frame, or a file of Parquet, one row a verdict.

What is not one number or one text stands as JSON text, which every tool can take apart again: `parameters`
differ from law to law, and `data` holds whole figures.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

from noether.api.extras import needed
from noether.report.law_table import titled
from noether.runs.records_file import plain
from noether.system.files import write_whole
from noether.system.outside import printable
from noether.system.usage import UsageError, unknown
from noether.verdicts.record import Record

TEXT, WHOLE, NUMBER = "text", "whole", "number"
COLUMNS = {
    **dict.fromkeys(("law", "title", "case", "symmetry", "rule", "backend", "precision", "kind"), TEXT),
    **{"lanes": WHOLE, "steps": WHOLE, "lane": WHOLE, "step": WHOLE, "component": WHOLE},
    **dict.fromkeys(("measured", "predicted", "bound", "spent"), NUMBER),
    **{"verdict": TEXT, "fault": TEXT, "power": NUMBER, "reason": TEXT, "seconds": NUMBER},
    **dict.fromkeys(("parameters", "worst", "powers", "data"), TEXT),
    **{"cell": TEXT, "replay": TEXT, "schema": WHOLE},
}
"""Column: the kind of its values. Those of a Record, and

    title                   what the law says, in a few words
    lane, step, component   the worst place; null where the record names none
    power                   that of the record's weakest coefficient, null where none was measured
"""
PARQUET = "records.parquet"
NESTED = ("parameters", "worst", "powers", "data")
BACKENDS = ("pandas", "polars")


def columns(records: Iterable[Record]) -> dict[str, list]:
    """The values of every column of COLUMNS, None where there is none; a NaN stays one."""
    rows = [row(r) for r in records]
    return {name: [r[name] for r in rows] for name in COLUMNS}


def row(r: Record) -> dict:
    """The values of one record, by column."""
    place, out = r.worst or {}, {"title": titled(r.law)}
    out |= {name: place.get(name) for name in ("lane", "step", "component")}
    out["power"] = max(map(abs, map(float, r.powers.values())), default=None)
    out |= {name: text(getattr(r, name)) for name in NESTED}
    return {name: out[name] if name in out else value(r, name) for name in COLUMNS}


def value(r: Record, name: str):
    """One field of a record as plain Python."""
    found = getattr(r, name)
    return float(found) if COLUMNS[name] == NUMBER and found is not None else found


def text(nested) -> str | None:
    """A nested field as JSON text; None where the record has none."""
    return None if nested is None else json.dumps(plain(nested), allow_nan=False)


def frame(records: Iterable[Record], backend: str = "pandas"):
    """A DataFrame of records. Raises UsageError for another backend, ExtraMissing."""
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise unknown("backend of a frame", backend, BACKENDS)
    found = columns(records)
    return {"pandas": pandas_frame, "polars": polars_frame}[backend](found)


def pandas_frame(found: dict[str, list]):
    """Columns as a pandas DataFrame; a number that is not there is NaN, as one that is none."""
    pandas = needed("pandas", "a frame")
    kinds = {TEXT: "string", WHOLE: "Int64", NUMBER: "float64"}
    made = {name: pandas.array(found[name], dtype=kinds[COLUMNS[name]]) for name in COLUMNS}
    return pandas.DataFrame(made)


def polars_frame(found: dict[str, list]):
    """Columns as a polars DataFrame."""
    polars = needed("polars", "a frame of polars")
    kinds = {TEXT: polars.String, WHOLE: polars.Int64, NUMBER: polars.Float64}
    return polars.DataFrame(found, schema={name: kinds[kind] for name, kind in COLUMNS.items()})


def arrow_table(found: dict[str, list]):
    """Columns as a pyarrow Table."""
    pa = needed("pyarrow", "Parquet")
    kinds = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64()}
    made = {name: pa.array(found[name], type=kinds[kind]) for name, kind in COLUMNS.items()}
    return pa.table(made)


def write_parquet(records: Iterable[Record], path: Path) -> Path:
    """Write records as a file of Parquet, whole or not at all. Raises UsageError, ExtraMissing."""
    parquet, file = needed("pyarrow.parquet", "Parquet"), io.BytesIO()
    parquet.write_table(arrow_table(columns(records)), file, compression="zstd")
    try:
        write_whole(path, file.getvalue())
    except (OSError, ValueError) as error:  # ValueError: a path that is none, as one with a null in it
        told = getattr(error, "strerror", None) or error
        raise UsageError(f"{printable(str(path))} cannot be written: {told}") from None
    return path
