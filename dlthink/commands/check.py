"""Examine a cost before it is trained, on data whose truth is known: does it ask for what you want?

dlthink check loss=NAME [loss.KEY=VALUE ...] [data=NAME] [figure=FILE.png]

  loss    a cost that comes with dlthink, or my_cost: my_cost.py in the working folder
  data    the data that it is for, which says the kind of target; without, every kind that the cost fits
  figure  draw the landscape of the cost over its outputs, beside two others of that kind

Each line of the table says what was asked, whether it passed, why it matters and what to do. told: nothing is wrong,
and whoever designs the cost should know it. Exit code 1 when something failed, 0 otherwise.
"""


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config.arguments import file_to_write
    from dlthink.config.command_line import read
    from dlthink.errors import BadInput, plain

    figures = [word.partition("=")[2] for word in words if word.startswith("figure=")]
    flags, overrides = read([word for word in words if not word.startswith("figure=")])
    figure = file_to_write("figure", figures[-1], ".png") if figures else None
    named = [word.removeprefix("loss=") for word in overrides if word.startswith("loss=")]
    if flags or len(named) != 1:
        raise BadInput(f"{next(iter(flags), 'loss=')}: write dlthink check loss=NAME; see dlthink check --help")
    from dlthink.api import check

    reports = check(named[0], *(word for word in overrides if not word.startswith("loss=")), figure=figure)
    print(plain(repr(reports)))
    if reports.passed:
        data = next((word for word in overrides if word.startswith("data=")), "data=NAME")
        print(plain(f"next: dlthink train -m loss={named[0]},OTHER seed=0,1,2 {data}, then dlthink compare"))
    return 0 if reports.passed else 1
