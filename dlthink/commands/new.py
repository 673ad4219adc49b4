"""Begin a cost, a network or a data set of your own: a small file here, ready for check and train.

dlthink new loss NAME [data=NAME]     NAME.py, a cost of the kind of target that this data has
dlthink new model NAME [data=NAME]    a network for what this data gives it to see
dlthink new data NAME [data=NAME]     a data set with targets of that kind

Without data it is as for data=spikes. A file that is there is never overwritten.
"""

GROUPS = ("loss", "model", "data")


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config.arguments import checked
    from dlthink.config.new_file import begin
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput, plain

    if words[0] not in GROUPS:
        raise BadInput(f"new {words[0]}: say what to begin{hint(words[0], GROUPS)}")
    named = [word for word in words[1:] if "=" not in word]
    if len(named) != 1:
        raise BadInput(f"new {' '.join(words)}: give it one name, dlthink new {words[0]} my_{words[0]}; see --help")
    print(plain(begin(words[0], named[0], [checked(word, "data=spikes") for word in words[1:] if word != named[0]])))
    return 0
