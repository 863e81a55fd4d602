"""PTX translated to C, compiled for this processor and run in parallel: what makes large launches fast.

expression  each row of the table as a C expression; prelude: the C around them
access      loads and stores, checked; moves: which of them a kernel calls, after which loop
widths      words of one width in a loop; ordering: few of them alive at once
emission    uniform control flow, lane loops, masks
compiler    its flags, and a library of a text; compiler_search: which one is here;
            library_cache: compiled libraries on disk
execute     running it
"""

from noether.kernels.ptx.native.compiler import CompileFailed, vectors
from noether.kernels.ptx.native.compiler_search import CompilerMissing
from noether.kernels.ptx.native.compiler_search import find as find_compiler
from noether.kernels.ptx.native.emission import Translation, translate
from noether.kernels.ptx.native.execute import LaneLoop, Report, execute, library, workers
from noether.kernels.ptx.native.library_cache import CacheFailed

__all__ = ["CacheFailed", "CompileFailed", "CompilerMissing", "LaneLoop", "Report", "Translation"]
__all__ += ["execute", "find_compiler", "library", "missing", "translate", "vectors", "workers"]


def missing() -> str:
    """Why nothing can be compiled here; '' when it can."""
    try:
        find_compiler()
    except CompilerMissing as error:
        return str(error)
    return ""
