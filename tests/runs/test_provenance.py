"""Git state of a folder: the commit and whether what it tracks was changed; nothing where there is no history."""

import subprocess

from dlthink.runs.provenance import git_state


def test_git_state_follows_the_folder(tmp_path):
    def git(*words):
        me = ["-c", "user.name=me", "-c", "user.email=me@here"]
        return subprocess.run(["git", *me, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert git_state(tmp_path) is None
    git("init", "-q")
    assert git_state(tmp_path) is None  # no commit yet
    (tmp_path / "a.py").write_text("a = 1\n")
    git("add", "a.py")
    git("commit", "-qm", "a")
    (tmp_path / "untracked.py").write_text("b = 1\n")
    commit = git("rev-parse", "HEAD").strip()
    assert git_state(tmp_path) == {"commit": commit, "changed": False}
    (tmp_path / "a.py").write_text("a = 2\n")
    assert git_state(tmp_path) == {"commit": commit, "changed": True}
