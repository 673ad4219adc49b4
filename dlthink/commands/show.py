"""What is in a file of your own, and which of its names can be used: nothing is trained, nothing is written.

dlthink show FILE [data=NAME]

  FILE  a table: .csv, .tsv, .txt, perhaps .gz, or .parquet
        a recording: an .npz, .mat, .h5, .nwb, or a folder of Kilosort and Phy
  data  the data that are to read it, where several could
"""


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput, plain

    chosen = [word.partition("=")[2] for word in words if word.startswith("data=")]
    files = [word.removeprefix("path=").removeprefix("data.path=") for word in words if not word.startswith("data=")]
    if len(files) != 1 or len(chosen) > 1:
        raise BadInput(f"show {' '.join(words)}: give one file, dlthink show FILE")
    known = readers()
    if chosen and chosen[0] not in known:
        raise BadInput(f"data={chosen[0]}: shows no files{hint(chosen[0], known, 'data=')}")
    refused: list[BadInput] = []
    for reader in [known[chosen[0]]] if chosen else known.values():
        try:
            print(plain("\n".join(reader.contents(files[0]))))
            return 0
        except BadInput as error:
            refused.append(error)
    raise refused[0]


def readers() -> dict[str, type]:
    """The data that can say what is in a file, by the name of the choice."""
    from dlthink.config.build import find
    from dlthink.config.problems import problems
    from dlthink.protocols import Data

    classes = {name: find(config.data, "data") for name, config in problems().items()}
    return {name: data for name, data in classes.items() if Data.contents.given(data)}
