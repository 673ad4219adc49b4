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
    "lfw": Download(
        files=(
            File(
                "https://ndownloader.figshare.com/files/5976015",
                "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
                "lfw-funneled.tgz",
            ),
            File(
                "https://ndownloader.figshare.com/files/5976012",
                "1d454dada7dfeca0e7eab6f65dc4e97a6312d44cf142207be28d688be92aabfa",
                "pairsDevTrain.txt",
            ),
            File(
                "https://ndownloader.figshare.com/files/5976009",
                "7cb06600ea8b2814ac26e946201cdb304296262aad67d046a16a7ec85d0ff87c",
                "pairsDevTest.txt",
            ),
            File(
                "https://ndownloader.figshare.com/files/5976006",
                "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592",
                "pairs.txt",
            ),
        ),
        terms="research only; Labeled Faces in the Wild (G. B. Huang et al. 2007), press photos of people nobody asked",
        use="dlthink train data=lfw data.fold=10",
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
    "yosemite": Download(
        files=(
            File(
                "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/summer2winter_yosemite.zip",
                None,
            ),
        ),
        terms="research only, no licence is stated; photos of Flickr's users, gathered by J.-Y. Zhu et al. 2017",
        use="dlthink train data=yosemite",
    ),
}
