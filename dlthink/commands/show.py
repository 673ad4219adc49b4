"""What is in a file of your own, and which of its names can be used; nothing is trained or written.

dlthink show FILE [data=NAME]

  FILE  a table: .csv, .tsv, .txt, perhaps .gz, or .parquet
        molecules: .sdf or JSON, perhaps .gz; a CSV with a column of SMILES is a table
        a recording: an .npz, .mat, .h5, .nwb, or a folder of Kilosort and Phy
  data  the data that are to read it, where several could
"""

import shlex
from pathlib import Path


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config.arguments import own_words
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput, OtherFormat, plain

    given, rest = own_words(words, {"data": None})
    files, chosen = [word.removeprefix("path=").removeprefix("data.path=") for word in rest], given["data"]
    if len(files) != 1:
        raise BadInput(f"show {' '.join(words)}: give one file, dlthink show FILE")
    known = readers()
    if chosen is not None and chosen not in known:
        raise BadInput(f"data={chosen}: shows no files{hint(chosen, known, 'data=')}")
    refused: list[BadInput] = []
    for reader in known.values() if chosen is None else [known[chosen]]:
        try:
            print(plain("\n".join(reader.contents(files[0]))))
            return 0
        except BadInput as error:
            refused.append(error)
    if Path(files[0]).is_dir():
        raise BadInput(
            f"{refused[0]}; photos, PERSON/photo.jpg, are trained on at once: dlthink train data=face_folder "
            f"data.path={shlex.quote(files[0])}; two folders, photos of a kind each: data=two_folders data.a= data.b="
        )
    raise next((error for error in refused if not isinstance(error, OtherFormat)), refused[0])


def readers() -> dict[str, type]:
    """The data that can say what is in a file, by the name of the choice."""
    from dlthink.config.build import find
    from dlthink.config.data_choices import problems
    from dlthink.protocols import Data

    classes = {name: find(config.data, "data") for name, config in problems().items()}
    return {name: data for name, data in classes.items() if Data.contents.given(data)}
