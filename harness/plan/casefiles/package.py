"""A package of its own for each case file, so that helpers of the same name in two folders do not meet.

    noether_case_<hash of its path>           the case file
    noether_case_<hash of its path>.helper    helper.py beside it, which it imports as `helper`

Texts are compiled here from the bytes that were digested. No loader of python's takes part, which would look
for a compiled file first, and two case files whose helpers have one name do not meet. The import statements
of these modules, and of no others, look beside the case file first, also later, inside a loss.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import linecache
import os
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

from noether.plan.casefiles import reads as casewatch
from noether.plan.casefiles.search import locate
from noether.plan.casefiles.source import Refused, Source, Text, file_digest, read, sha256

HOMES: dict[str, Home] = {}
"""By the name of the case file's module."""
OWN = {"noether", "__future__", *sys.builtin_module_names}
"""Never looked for beside a case file."""


def module_name(path: Path) -> str:
    """The name of a case file's module: the same for the same path on every machine."""
    return "noether_case_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]


class Home:
    """The package of one case file, with the texts and data that it has read so far.

    label     how complaints begin
    expected  absolute path -> sha256: what these files must be, and no other file beside the case is read;
              None before anything is known
    """

    def __init__(
        self, path: Path, text: bytes, *, label: str, expected: Mapping[str, str] | None = None, name=""
    ):
        self.path, self.label, self.expected = path, label, expected
        self.name = name or module_name(path)
        self.roots, self.before, self.running = [str(path.parent)], list(sys.path), False
        self.texts = {"": Text("", str(path), text, is_package=True)}
        self.data: dict[str, str] = {}
        self.written: set[str] = set()
        self.refusals: list[str] = []
        self.looked: dict[str, tuple] = {}
        self.served: set[tuple[str, str]] = set()  # (word, kind) of what was taken of it
        self.check(str(path), sha256(text))

    @classmethod
    def of(cls, source: Source) -> Home:
        """The package of texts that are at hand: no file is looked at for them."""
        known = dict(label=f"{source.kind} file {source.word}", expected=source.files, name=source.module)
        home = cls(Path(source.path), source.texts[0].text, **known)
        home.texts |= {t.module: t for t in source.texts}
        return home

    def source(self, word: str, kind: str = "case", name: str = "") -> Source:
        """The texts and data so far, as plain data under the word of the user, as which it was taken."""
        texts, data = tuple(self.texts.values()), tuple(sorted(self.data.items()))
        return Source(word, self.name, str(self.path), texts, data, kind, name)

    # ---- what is read

    def refuse(self, text: str):
        """Raise Refused, and keep its text, so that a case cannot go on by catching it."""
        self.refusals.append(f"{self.label} {text}")
        raise Refused(self.refusals[-1])

    def holds(self, path: str) -> bool:
        """Whether a file lies below a folder of the case, as it is named or without links."""
        names = {os.path.abspath(path), os.path.realpath(path)}
        return any(name.startswith(root + os.sep) for name in names for root in self.roots)

    def check(self, path: str, digest: str, *, inside: bool = True) -> None:
        """Refuse a file that is not what it must be, and inside also one not known. Raises Refused."""
        if self.expected is None:
            return
        must = self.expected.get(path)
        if must is None and inside:
            self.refuse(
                f"reads {path}, which it did not read when it was tried: read it at the top of the file"
            )
        if must is not None and must != digest:
            what = "" if path == str(self.path) else f"reads {path}, which "
            self.refuse(f"{what}has changed: its sha256 is {digest}, must be {must}")

    def check_data(self, data: tuple[tuple[str, str], ...]) -> None:
        """Refuse a file that the case reads and that is another one here, or is not here. Raises Refused."""
        for path, digest in data:
            try:
                found = file_digest(path)
            except OSError as error:
                self.refuse(f"reads {path}, which cannot be read here: {error.strerror or error}")
            if found != digest:
                self.refuse(
                    f"reads {path}, which is another one here: its sha256 is {found}, must be {digest}"
                )
            self.data[path] = digest

    def files(self) -> set[str]:
        """The paths of its texts."""
        return {t.path for t in self.texts.values()}

    def reads(self, path: str, named: str) -> None:
        """Note a file that the case's own code opens, named as the code names it. Raises Refused."""
        try:
            about = os.stat(path)
            mark = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
            if self.looked.get(path) == mark:
                return
            digest = file_digest(path)
        except OSError:
            return  # whoever opens it is told
        self.check(path, digest, inside=self.holds(named))
        if self.known(path, digest) != digest:
            self.refuse(f"reads {path} twice, and it has changed between")
        self.looked[path] = mark

    def known(self, path: str, digest: str) -> str:
        """The digest that a file had when it was read first."""
        text = next((t for t in self.texts.values() if t.path == path), None)
        return text.digest if text is not None else self.data.setdefault(path, digest)

    def has(self, head: str) -> bool:
        """Whether an import of this name means a module beside the case file."""
        if head in OWN:
            return False
        with casewatch.unwatched():
            return head in self.texts or locate(head, self.places()) is not None

    def places(self) -> list[str]:
        """The folders in which modules are looked for: the case file's, and what it has put on the search
        path itself."""
        for path in sys.path if self.running else ():
            if path not in self.before and (where := os.path.realpath(path)) not in self.roots:
                self.roots.append(where)
        return self.roots

    def text(self, module: str, path: list[str]) -> Text | None:
        """The text of a module, read when it is first asked for. Raises ImportError, Refused, OSError."""
        if module in self.texts:
            return self.texts[module]
        found = locate(module.rpartition(".")[2], path)
        if found is None:
            return None
        kind, where = found
        if kind == "compiled":
            raise ImportError(f"{where} is compiled: a case file must be made of text alone", name=module)
        if kind == "folder":
            self.texts[module] = Text(module, where, b"", is_package=True, is_folder=True)
        else:
            text = read(where)
            self.check(where, sha256(text))
            self.texts[module] = Text(module, where, text, is_package=kind == "package")
        return self.texts[module]

    # ---- what is run

    def imported(self, name, globals=None, locals=None, fromlist=(), level=0):
        """The `__import__` of the case's modules."""
        head = name.partition(".")[0]
        ready()
        if level or not self.has(head):
            return builtins.__import__(name, globals, locals, fromlist, level)
        try:
            last = builtins.__import__(f"{self.name}.{name}", globals, locals, fromlist or ("__name__",), 0)
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith(self.name + "."):
                raise
            lost = error.name.removeprefix(self.name + ".")
            raise ModuleNotFoundError(f"No module named {lost!r}", name=lost) from None
        return last if fromlist else sys.modules[f"{self.name}.{head}"]

    def run(self):
        """Execute the case file anew, and give its module. Raises whatever the file raises."""
        ready()
        self.forget()
        HOMES[self.name] = self
        self.before, self.running = list(sys.path), True
        try:
            module = importlib.import_module(self.name)
            self.places()  # put there at the end, for a loss
            return module
        except BaseException:
            self.forget()
            raise
        finally:
            self.running = False

    def forget(self) -> None:
        """Take the modules of this case out of the process."""
        HOMES.pop(self.name, None)
        for name in list(sys.modules):
            if name == self.name or name.startswith(self.name + "."):
                del sys.modules[name]


class Finder:
    """The import finder for modules of case files, by the names of their packages."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """The spec of a module of a case file; None for any other module."""
        head, _, rest = fullname.partition(".")
        home = HOMES.get(head)
        if home is None:
            if HOMES and not rest and not casewatch.busy():
                self.refuse_plain(fullname)
            return None
        with casewatch.unwatched():
            text = home.text(rest, list(path or home.roots))
        if text is None:
            return None
        spec = ModuleSpec(fullname, Loader(home, text), origin=text.path, is_package=text.is_package)
        if text.is_package:
            folder = text.path if text.is_folder else os.path.dirname(text.path)
            spec.submodule_search_locations = [folder] if rest else home.roots
        return spec

    def refuse_plain(self, name: str) -> None:
        """Refuse importlib.import_module("helper") from a case: python alone might find a .pyc for it."""
        home = casewatch.importer()
        if home is not None and home.has(name):
            remedy = f"import {name}, or importlib.import_module('.{name}', __package__)"
            raise ImportError(f"{name} lies beside the case file: it must be imported by {remedy}", name=name)


FINDER = Finder()


def ready() -> None:
    """Install the finder and the watch of opened files, again where somebody took them out."""
    casewatch.watch()
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)


class Loader:
    """The import loader that compiles a text which was read before."""

    def __init__(self, home: Home, text: Text):
        self.home, self.text = home, text

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        names = vars(module)
        names[casewatch.MARK] = self.home
        names["__builtins__"] = {**vars(builtins), "__import__": self.home.imported}
        if self.text.is_folder:
            return
        module.__file__ = self.text.path
        # A case may set the rounding mode of the processor, under which python reads the decimals of what it
        # compiles: kept, they would be wrong in every later run.
        sys.dont_write_bytecode = True
        code = compile(self.text.text, self.text.path, "exec", dont_inherit=True)
        lines = importlib.util.decode_source(self.text.text).splitlines(keepends=True)
        linecache.cache[self.text.path] = (len(self.text.text), None, lines, self.text.path)
        exec(code, names)

    @property
    def path(self) -> str:
        return self.text.path

    def get_resource_reader(self, fullname: str):
        """importlib.resources, which opens files beside the module."""
        from importlib.readers import FileReader

        return FileReader(self)

    def get_data(self, path: str) -> bytes:
        """pkgutil.get_data; the module of the case that asks stands on the stack, and the file is seen."""
        return Path(path).read_bytes()

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self.text.text)
