"""Mistakes in code of the user's own: the file, the line and what is wrong, in one line instead of a traceback."""

import inspect
import re
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from types import TracebackType
from typing import Any

from dlthink.errors import BadInput, Diverged

HERE = Path(__file__).resolve().parent
LIBRARIES = [
    HERE,
    *{Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")},
]
LONGEST = 300  # letters of another library's message
ADVICE = {  # of messages that lead astray, or say nothing to whoever writes a first cost
    r"call numpy\(\) on Tensor that requires grad": "gradients do not pass through numpy: use torch's own functions",
    r"before Module.__init__\(\) call": "__init__ must begin with super().__init__()",
    r"backward through the graph a second time": "what a step keeps for later ones must be detached: .detach()",
    r"modified by an inplace operation": "write a = a + b where it says a += b, and log() for log_()",
    r"leaf Variable that requires grad is being used in an in-place": "write a = a + b where it says a += b",
    r"does not require grad and does not have a grad_fn": "outside of training there are no gradients: "
    "use torch.enable_grad() where a cost takes some itself",
    r"Boolean value of Tensor with more than one value": "use torch.where, or .all() and .any()",
    r"(?s)value argument .* within the support \((?P<support>.*)\) of the distribution (?P<of>\w+)": "{of} gives no "
    "probability to a target outside of its support, {support}",
    r"(?s)parameter (?P<name>\w+) .* of distribution (?P<of>\w+)\(.*the constraint (?P<support>.*), but": "{of}: its "
    "{name} must be {support} and is not where the network answers so; a link makes it, exp(out) or softplus(out)",
}
TENSOR = r"tensor\(\[*([-+.\de]+).*?\](?:, dtype=[\w.]+)?\)"  # as it prints in a message; its first number


def own(file: str) -> bool:
    """Is it the user's own, neither dlthink's nor a library's?"""
    if not file.endswith(".py"):
        return False
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in LIBRARIES) and not _torch(path)


def _torch(path: Path) -> bool:
    import torch  # wherever it lies

    return path.is_relative_to(Path(torch.__file__).resolve().parent)


def short(file: str) -> str:
    """As seen from the working folder, where that is shorter."""
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def place(trace: TracebackType | None) -> str | None:
    """file:line of the innermost line of the user's own, or None where no such line took part."""
    found = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if own(file):
            found = f"{short(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def written(thing: Any) -> str:
    """file:line where a class or a function of the user's own begins, and its name; of others the name alone."""
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    try:
        file, (_, line) = inspect.getsourcefile(thing), inspect.getsourcelines(thing)
    except (TypeError, OSError):  # typed into a prompt, say
        return name
    return f"{short(file)}:{max(line, 1)}: {name}" if file and own(file) else name


def said(error: BaseException) -> str:
    """What the error says, in one line, with advice where it alone would lead astray."""
    text = str(error)
    for pattern, advice in ADVICE.items():
        if found := re.search(pattern, text):
            return re.sub(TENSOR, r"\1", advice.format(**found.groupdict()), flags=re.S)
    if isinstance(error, SystemExit):
        return (
            'it ends the program; what does that, such as a parser of arguments, goes below if __name__ == "__main__":'
        )
    if isinstance(error, ModuleNotFoundError):
        return f"it needs the module {error.name}, which is not installed here: pip install {error.name}"
    first, *more = text.strip().splitlines() or [""]
    text = " ".join([first, *more] if first.endswith(":") else [first])  # a colon: what follows it belongs to it
    text = shorten(text, LONGEST, placeholder=" ...")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def blamed(error: BaseException, note: str = "") -> BadInput | None:
    """The same mistake as BadInput if it was made in the user's own code; None for anybody else's.

    note: what was asked of that code, for the end of the line.
    """
    if isinstance(error, SyntaxError) and error.filename and own(error.filename):  # of a file that it imports
        return BadInput(f"{short(error.filename)}:{error.lineno}: {error.msg}")
    where = place(error.__traceback__)
    if where is None:
        return None
    return BadInput(f"{where}: {said(error)}{f' ({note})' if note else ''}")


@contextmanager
def own_code(note: str = "") -> Iterator[None]:
    """Whatever goes wrong in the user's own code inside ends as BadInput in one line; all else passes through.

    So does what the system refuses (OSError), where no note says that their code is asked: it may be a full disk.
    """
    try:
        yield
    except (BadInput, Diverged, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and not note:
            raise
        mistake = blamed(error, note)
        if mistake is None:
            raise
        raise mistake from error
