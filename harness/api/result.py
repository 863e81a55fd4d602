"""What a run found, with what Python and notebooks ask of it: frames, tables, plots, files."""

from __future__ import annotations

from pathlib import Path

from noether.api import frame, plots, tables
from noether.report.table import footing, verdict
from noether.runs import result as plain
from noether.runs.saved_result import saved_result
from noether.system.usage import UsageError, brief, unknown


class Result(plain.Result):
    """What a run found: what `noether.verify` returns, and what `Result.load` reads from a run folder.

    records      every verdict, those on planted faults included (`fault` names the fault)
    rows         one summary a law: verdict, worst spent, cells, how many planted faults it killed
    exit_code    0 everything holds, 1 a law is violated, 3 could not decide or blind, 70 a cell failed, 130
                 interrupted
    laws         those that were judged;  left_out  those that cover nothing of the choice, or that are not
                                                    here
    folder       the run folder, None where nothing was recorded
    notes        what should be known beside the verdicts, a sentence each
    about        what run.json says of the run: versions, machine, arguments

    The other fields are those of noether.runs.result.Result. In a notebook a Result shows itself as its table
    of laws.
    """

    @classmethod
    def of(cls, found: plain.Result) -> Result:
        """A Result that shows itself, of the same run."""
        return cls(**vars(found))

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """The Result of a run folder, of this version or an older one.

        Raises UsageError where the folder holds no run, or a damaged one. Nothing of it is executed.
        """
        if not isinstance(folder, str | Path):
            raise UsageError(f"folder is {folder!r}, must be the path of a run folder")
        return cls.of(saved_result(Path(folder)))

    def __repr__(self) -> str:
        """The verdict, what was counted, and the folder, a line each."""
        folder = f"\n  {self.folder}" if self.folder else ""
        counted = tables.counted(self)
        return f"<Result: {verdict(self)} (exit code {self.exit_code})\n  {counted}{folder}>"

    def _repr_pretty_(self, printer, cycle) -> None:
        """What IPython prints."""
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        """The table of laws, as notebooks show it."""
        return tables.html(self, verdict(self), footing(self))

    def to_frame(self, backend: str = "pandas"):
        """The records as a DataFrame, one row a verdict.

        backend  "pandas" or "polars"

        The columns are those of noether.api.frame.COLUMNS: the fields of a record, the title of its law, its
        worst lane and step, and the power of its weakest coefficient; `parameters`, `worst`, `powers` and
        `data` are JSON text. Rows with a `fault` are verdicts on planted faults, which must be violated
        somewhere. Raises UsageError for another backend, ExtraMissing where pandas or polars is not
        installed.
        """
        return frame.frame(self.records, backend)

    def to_parquet(self, path: str | Path | None = None) -> Path:
        """Write the records as a Parquet file with the columns of `to_frame`, and return its path.

        path  records.parquet in the run folder when left out

        Raises UsageError where there is neither, or the file cannot be written; ExtraMissing without pyarrow.
        """
        if path is None and self.folder is None:
            raise UsageError("path is missing: a run without a folder has no place for records.parquet")
        path = self.folder / frame.PARQUET if path is None else path
        if not isinstance(path, str | Path) or not str(path):
            raise UsageError(f"path is {brief(path)}, must be the name of a file")
        return frame.write_parquet(self.records, Path(path))

    def to_latex(self) -> str:
        """The table of laws in LaTeX: a `tabular` in the manner of the package booktabs.

        Columns: code, title, cells, worst in units of its bound, power, planted faults killed, verdict.
        """
        return tables.latex(self)

    def plot(self, law: str, *, case: str | None = None, ax=None):
        """What was measured against what one law predicted, as matplotlib Axes.

        law   its code, as "D2";  case  a case, when not all of them are meant
        ax    Axes to draw on; new ones when left out

        Where records of the law hold a figure (a charge over time, an error over step sizes, a response over
        magnitudes), the first figure of the report is drawn. Of other laws every verdict is a dot: how far
        its worst place is from the prediction, in units of the bound, against the size of the prediction; the
        shaded band is what rounding allows. Verdicts on planted faults are left out.

        Raises UsageError for a law or case that was not judged, for a run without verdicts, or for what are
        no Axes; ExtraMissing without matplotlib.
        """
        law = str(law).strip().upper()
        judged = {r.law: None for r in self.records if r.fault is None}
        if not judged:
            raise UsageError("this run has no verdict: a plot needs one at least")
        if law not in judged:
            raise unknown("law", law, sorted(judged, key=[*self.laws, *judged].index))
        mine = [r for r in self.records if r.law == law and r.fault is None]
        if case is not None:
            names = dict.fromkeys(r.case for r in mine)
            mine = [r for r in mine if r.case == case] if isinstance(case, str) else []
            if not mine:
                raise unknown(f"case of law {law}", case, names)
        return plots.of_law(mine, law, ax)
