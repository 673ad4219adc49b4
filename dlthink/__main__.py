"""`dlthink COMMAND ...`: hands the rest of the line to that command. Imports nothing heavy."""

import ast
import importlib
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from dlthink import __version__
from dlthink.errors import EXPECTED, BadInput, answer, hearing
from dlthink.user_errors import own_code


def commands() -> dict[str, Path]:
    """Every verb and its file."""
    return {file.stem: file for file in sorted((Path(__file__).parent / "commands").glob("[!_]*.py"))}


def usage() -> str:
    """Every verb, with the first line that its file says of itself."""
    lines = [f"dlthink {__version__}: you design the cost.", "", "Commands (each has --help):"]
    for name, file in commands().items():
        lines.append(f"  dlthink {name:<10} {ast.get_docstring(ast.parse(file.read_text())).splitlines()[0]}")
    lines += [
        "",
        "Start with:  dlthink train loss=poisson data=spikes",
        "Look at it:  tensorboard --logdir outputs",
        "Your data:   dlthink show FILE, then the line that it prints",
        "What fits:   dlthink train --help, and of any choice, dlthink train data=table --help",
    ]
    return "\n".join(lines)


def complete(words: list[str]) -> int:
    """Shell completion: verbs are completed here; after `train`, Hydra completes groups, choices and keys."""
    line = os.environ.get("COMP_LINE", "")
    typed = line.split()
    if "query" in " ".join(words):
        if len(typed) < 2 or (len(typed) == 2 and not line.endswith(" ")):
            print("\n".join(name for name in commands() if name.startswith(typed[1] if len(typed) > 1 else "")))
            return 0
        if typed[1] != "train":
            return 0
        os.environ["COMP_LINE"] = line.replace("train ", "", 1)
    return importlib.import_module("dlthink.commands.train").main(words)


def main(words: list[str] | None = None) -> int:
    """Run one command. Exit codes: 0 done, 1 the cost diverged, 2 bad input, 130 Ctrl-C, 143 SIGTERM."""
    words = sys.argv[1:] if words is None else words
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it has no letters for ends nothing
    if not words or words[0] in ("-h", "--help", "help"):
        from dlthink.config.help_width import fitted

        print(fitted(usage()))
        return 0
    if words[0] == "--version":
        print(__version__)
        return 0
    try:
        if words[0] in ("-sc", "--shell-completion"):
            return complete(words)
        verb, rest = words[0], words[1:]
        if verb not in commands():
            from dlthink.did_you_mean import hint

            raise BadInput(f"{verb or repr(verb)}: there is no such command{hint(verb, commands())}")
        with hearing(), own_code():
            return importlib.import_module(f"dlthink.commands.{verb}").main(rest) or 0
    except BrokenPipeError:  # `dlthink train --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (*EXPECTED, KeyboardInterrupt) as error:
        return answer(error)


if __name__ == "__main__":
    if sys.path[0] == os.getcwd() != str(Path(__file__).parent.parent):
        del sys.path[0]  # `python -m dlthink`: what lies in the working folder is no package to import from
    sys.exit(main())
