"""Public data sets that `dlthink fetch` knows: where they lie, what they must hash to, on what terms they are given."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a data set, and the checksum it must have; None where none is published, as the file grows."""

    url: str
    sha256: str | None
    called: str = ""

    @property
    def name(self) -> str:
        return self.called or self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Download:
    """A data set: its files, its terms, and the command that uses it."""

    files: tuple[File, ...]
    terms: str
    use: str


DOWNLOADS = {
    "linear_track": Download(
        files=(
            File(
                "https://raw.githubusercontent.com/nelpy/example-data/master/linear-track/spikes.mat",
                "615b05a9228a5eaea7f99d5fc5b11848a4d94fc154104612410c887875b65bc7",
            ),
            File(
                "https://raw.githubusercontent.com/nelpy/example-data/master/linear-track/trajectory.videoPositionTracking",
                "10a883302c50e26d5f659ac4ee08d8901f7881c71f6800cd56d999a620b31cb5",
            ),
        ),
        terms="MIT, nelpy example-data (E. Ackermann et al.): rat hippocampus on a linear track",
        use="dlthink train data=linear_track",
    ),
    "nmrshiftdb2": Download(
        files=(
            File(
                "https://sourceforge.net/projects/nmrshiftdb2/files/data/nmrshiftdb2withsignals.sd/download",
                None,
                "nmrshiftdb2withsignals.sd",
            ),
        ),
        terms="nmrshiftdb2 Database License (share-alike; software that relies on it must be open source)",
        use="dlthink train data=nmrshiftdb2",
    ),
}
