"""A sweep as it goes: its runs, each perhaps in a process of its own, say when they end; it can go on after a stop."""

from __future__ import annotations

import json
import os
import re
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dlthink.config.arguments import one_of, own_words
from dlthink.config.override import literal
from dlthink.config.paths import conf_folder
from dlthink.did_you_mean import hint
from dlthink.errors import STOP, BadInput, Terminated, handled, in_shell, plain
from dlthink.files.atomic import write_text
from dlthink.files.lock import hold
from dlthink.progress_bar import duration
from dlthink.runs import stored_files
from dlthink.runs.signature import sign, signed

PLACE = "DLTHINK_SWEEP"  # names the file in which a run says that it has ended, in whatever process it is
WORDS = "sweep.json"  # in the folder of a sweep: the words that began it
EVERY = 1.0  # seconds between two looks at what jobs of a cluster say
ENDED = ".ended"  # beside it while the sweep runs, where the machines of a cluster find it: what its runs say
LAUNCHER = re.compile(r"hydra[/.]launcher\b")  # words that say where runs are trained, not what
IN_TURN, BESIDE = "basic", "joblib"  # launchers whose runs end with the command: in its process, or in others


@dataclass
class Sweep:
    """What all runs of one command know.

    file       where each adds a line at its end
    words      the words of the command
    runs       how many there are; 1 where it is no sweep
    go_on      are runs that finished left as they are, and interrupted ones resumed?
    fail_fast  does the first run that fails end the sweep?
    launcher   what starts them: IN_TURN, BESIDE, or what hands them to a cluster
    there      how many had come to their end before the command began
    command    its process
    began      when, in seconds
    """

    file: Path
    words: list[str]
    runs: int
    go_on: bool = False
    fail_fast: bool = False
    launcher: str = IN_TURN
    there: int = 0
    command: int = field(default_factory=os.getpid)
    began: float = field(default_factory=time.time)

    @property
    def beside(self) -> bool:
        """Are its runs in processes of their own that end with the command?"""
        return self.launcher == BESIDE

    @property
    def elsewhere(self) -> bool:
        """Are its runs jobs of a cluster, whose output goes into files?"""
        return self.launcher not in (IN_TURN, BESIDE)

    def begin(self) -> str:
        """Write down what its runs must know; the word that hands it on to all of them."""
        known = {name: value for name, value in asdict(self).items() if name != "file"}
        self.file.write_text(json.dumps(known) + "\n")
        return literal(f"+hydra.job.env_set.{PLACE}", str(self.file))

    @classmethod
    def current(cls) -> Sweep:
        """Of the run that asks. Raises BadInput where the command that began it is no more, and was cleared away."""
        file = Path(os.environ[PLACE])
        if not file.is_file():
            go_on = f"dlthink train -m resume={in_shell(file.parent)}"
            raise BadInput(f"{file.parent}: this sweep was stopped; go on with {go_on}")
        return cls(file, **json.loads(file.read_text().partition("\n")[0]))

    def begun(self, folder: Path, words: list[str]) -> bool:
        """Has this run begun before, in this very sweep? A launcher starts what had to leave a cluster once more."""
        said = {"begun": str(folder), "words": words}
        if said in self._lines():
            return True
        self._add(said)
        return False

    def turn(self) -> int:
        """Of the process that asks among those that have runs of this sweep: 0, 1, ... in the order of their asking."""
        said = {"worker": os.getpid()}
        if said not in self._lines():
            self._add(said)
        return [line for line in self._lines() if "worker" in line].index(said)

    def ended(self, code: int, name: str, figure: str | None = None, why: str = "") -> str | None:
        """A run has ended with an exit code, or, without a figure, failed or was found at its end; what to say of the
        whole, None where there is but one, or nobody asks. why: what it has said of its failure."""
        if not self.file.is_file():
            return None
        self._add({"code": code, "name": name, "found": figure is None and not code})
        if self.runs == 1:
            return None
        said = self._said(name, code, figure)
        if self.elsewhere:
            self._add({"said": f"{why}\n{said}" if why else said})
        return said

    def _said(self, name: str, code: int, figure: str | None) -> str:
        """How many have ended, how long it will still take, and how this run ended."""
        done, passed = len(self.codes()), time.time() - self.began
        ended, left = [line for line in self._lines() if "found" in line], ""
        took = sum(not line["found"] and not line["code"] for line in ended)  # a run that failed may have ended early
        to_train = self.runs - done - max(0, self.there - sum(line["found"] for line in ended))
        if took and to_train > 0 and not (code and self.fail_fast):
            left = f", about {duration(passed / took * to_train)} left"
        how = " failed" if code else " was there" if figure is None else figure
        return f"{done} of {self.runs} runs done after {duration(passed)}{left}: {name}{how}"

    def codes(self) -> list[int]:
        """The exit codes of its runs so far."""
        return [line["code"] for line in self._lines() if "code" in line]

    def failed(self) -> list[str]:
        """The names of its runs that failed."""
        return [line["name"] for line in self._lines() if line.get("code")]

    def stop(self, code: int) -> None:
        """End the sweep with this exit code: runs that are at work beside others save and leave, no other begins."""
        if self.file.is_file():
            self._add({"stop": code})

    def stopped(self) -> int | None:
        """The exit code with which it was told to end."""
        return next((line["stop"] for line in self._lines() if "stop" in line), None)

    def over(self) -> bool:
        """Was it told to end, or is the command gone that waits for its runs?"""
        return not self.file.is_file() or self.stopped() is not None or not alive(self.command)

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While its runs are jobs of a cluster, what they say at their ends is said here, too."""
        over, told = threading.Event(), 0

        def tell() -> None:
            nonlocal told
            lines = [line["said"] for line in self._lines() if "said" in line] if self.file.is_file() else []
            for line in lines[told:]:
                print(plain(line), flush=True)
            told = max(told, len(lines))

        def follow() -> None:
            while not over.wait(EVERY):
                tell()

        listener = threading.Thread(target=follow, daemon=True)
        listener.start()
        try:
            yield
        finally:
            over.set()
            listener.join()
            tell()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """While its runs are at work beside each other, Ctrl-C and SIGTERM tell them, once; the same again ends it.

        Raises KeyboardInterrupt, Terminated once they have left.
        """

        def tell(number: int, _) -> None:
            signal.signal(number, before[number])
            self.stop(STOP + number)

        try:
            with handled(tell, signal.SIGINT, signal.SIGTERM) as before:
                yield
        finally:
            if code := max(self.stopped() or 0, STOP) - STOP:
                raise Terminated if code == signal.SIGTERM else KeyboardInterrupt

    def _add(self, said: dict) -> None:
        with self.file.open("ab", buffering=0) as file:  # in one piece, whatever other runs write
            file.write(json.dumps(said).encode() + b"\n")

    def _lines(self) -> list[dict]:
        whole = self.file.read_text().rpartition("\n")[0]  # what another machine has begun to write comes later
        return [json.loads(line) for line in whole.split("\n")[1:]]


def alive(process: int) -> bool:
    """Is there this process, and not as a zombie, whose parent has yet to ask how it ended? True where nobody says."""
    try:
        if os.name == "posix":
            os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's, or the system has no /proc
        return True


def keep(folder: Path, words: list[str]) -> None:
    """Write the words of a sweep into its folder, signed: they are a command, and shall be this user's own."""
    file = folder / WORDS
    if not file.exists():
        write_text(file, sign(json.dumps(words) + "\n"))


def kept(folder: Path) -> list[str] | None:
    """The words that began the sweep in `folder`, if this user began it here; None where there is no sweep."""
    file = folder / WORDS
    if not file.is_file():
        return None
    text = stored_files.text(file)
    if not signed(text):
        raise BadInput(f"{file}: was not written here: type the command of that sweep, with into={in_shell(folder)}")
    return json.loads(text.partition("\n")[0])


def place(words: list[str]) -> Path:
    """The folder of a sweep: the one that its words name, or one of this moment, as train.yaml has it.

    What they look up, ${now:%H-%M} of the clock, is looked up once, here. Raises BadInput where that cannot be done.
    """
    from hydra.core.utils import setup_globals
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    typed = [word.partition("=")[2].strip("'\"") for word in words if _names_it(word)]
    text = typed[-1] if typed else OmegaConf.load(conf_folder() / "train.yaml").hydra.sweep._get_node("dir")._value()
    setup_globals()
    try:
        return Path(OmegaConf.create({"dir": text}).dir)
    except OmegaConfBaseException as error:
        raise BadInput(f"hydra.sweep.dir={text}: name the folder itself, or ${{now:%H-%M}} of the clock") from error


def into(folder: Path, words: list[str]) -> list[str]:
    """The words with which Hydra takes this very folder."""
    return [*(word for word in words if not _names_it(word)), literal("hydra.sweep.dir", str(folder))]


def trained(words: list[str]) -> list[str]:
    """The words that say what is trained, without those that say on which machine: a sweep may go on elsewhere."""
    return [word for word in words if not LAUNCHER.match(word)]


def _names_it(word: str) -> bool:
    return word.startswith("hydra.sweep.dir=")


def began(folder: Path, words: list[str]) -> bool:
    """Do these words go on with the sweep in `folder`? BadInput where another one lies there."""
    before, asked = kept(folder), trained(words)
    if before is not None and trained(before) != asked:
        differ = (word for word in [*trained(before), *asked] if (word in trained(before)) != (word in asked))
        other = next(differ, "the order of words")
        raise BadInput(
            f"{folder}: holds another sweep (they differ in {other}); go on with that one, dlthink train -m "
            f"resume={in_shell(folder)}, or name another folder"
        )
    return before is not None


@contextmanager
def scratch() -> Iterator[Path]:
    """Where a run that is no part of a sweep says that it has ended."""
    with tempfile.TemporaryDirectory(prefix="dlthink-") as folder:
        yield Path(folder) / ENDED


@contextmanager
def alone(folder: Path, launcher: str) -> Iterator[Path]:
    """Where the runs of a sweep say that they have ended; while it is open, no other sweep runs into `folder`.

    On a cluster, runs may go on when the command that began them has been stopped: what they say stays then. Raises
    BadInput.
    """
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.absolute() / ENDED
    held = needed = False
    try:
        with hold(folder):
            held = True
            try:
                yield file
            except KeyboardInterrupt:
                needed = launcher not in (IN_TURN, BESIDE)
                raise
            finally:
                if not needed:
                    file.unlink(missing_ok=True)
    finally:
        if held:
            _clear_away(folder)
        for place in new:
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()  # nothing began


def fails_fast(overrides: list[str], several: bool) -> tuple[bool, list[str]]:
    """Whether the first failure ends the sweep, `fail_fast=true`, and the other words. Raises BadInput."""
    given, rest = own_words(overrides, {"fail_fast": None})
    asked = given["fail_fast"]
    if asked is None:
        return False, rest
    one_of("fail_fast", asked, "true", "false")
    if not several:
        raise BadInput(f"fail_fast={asked}: says when a sweep ends; add -m, or leave it out")
    return asked == "true", rest


def words_to_go_on(given: list[str]) -> list[str]:
    """The words of the sweep that `-m resume=FOLDER` names. Raises BadInput."""
    from dlthink.runs.latest import run_folder

    how = [word for word in given if LAUNCHER.match(word) or word.startswith("fail_fast=")]
    others = [word for word in given if not word.startswith("resume=") and word not in ("-m", "--multirun", *how)]
    if others:
        raise BadInput(
            f"{others[0]}: a sweep goes on as it began, but for hydra/launcher= and fail_fast=; for other settings "
            f"begin another one"
        )
    name = next(word for word in given if word.startswith("resume=")).partition("=")[2]
    folder = _newest() if name == "latest" and not Path(name).exists() else run_folder(name)
    words = kept(folder)
    if words is None:
        if one := next((file.parent for file in sorted(folder.glob("*/config.yaml"))), None):
            raise BadInput(f"{folder}: not the folder of a sweep, but of a run: dlthink train resume={in_shell(one)}")
        around = folder.parent.iterdir() if folder.parent.is_dir() else ()
        found = [other.name for other in around if (other / WORDS).is_file()]
        raise BadInput(f"{folder}: not the folder of a sweep (no {WORDS} in it){hint(folder.name, found)}")
    anew = {word.partition("=")[0] for word in how}
    if "hydra/launcher" in anew:  # another one has its own settings
        words = trained(words)
    return [*into(folder, [word for word in words if word.partition("=")[0] not in anew]), *how]


def _newest() -> Path:
    """The folder of the sweep that was begun last, which is said. Raises BadInput where there is none."""
    from dlthink.runs.compare.comparison import SWEEPS, sweeps

    found = [folder for _, folder in sweeps(SWEEPS) if (folder / WORDS).is_file()]
    if not found:
        raise BadInput(f"resume=latest: there is no sweep in {SWEEPS} of this folder; give the folder of one")
    print(plain(f"latest: {found[-1]}"))
    return found[-1]


def _clear_away(folder: Path) -> None:
    """A sweep of which no run began leaves no folder, which would be taken for the newest one."""
    left = sorted(folder.rglob("*"), reverse=True)
    if {path for path in left if not path.is_dir()} <= {folder / "multirun.yaml", folder / WORDS}:
        for path in (*left, folder):
            path.rmdir() if path.is_dir() else path.unlink()
