"""Examine a cost before it is trained, on data whose truth is known: does it ask for what you want?

dlthink check loss=NAME [loss.KEY=VALUE ...] [data=NAME] [figure=FILE.png]

  loss    a cost that comes with dlthink, or my_cost: my_cost.py in the working folder
  data    the data that it is for, which says the kind of target; without, every kind that it fits
  figure  draw the landscape of the cost over its outputs, beside two others of that kind

Each line of the table says what was asked, whether it passed, what was found and what to do. told:
nothing is wrong, and whoever designs the cost should know it. Exit code 1 when something failed, 0
otherwise.
"""


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config.arguments import file_to_write, own_words
    from dlthink.config.command_line import read
    from dlthink.errors import BadInput, plain

    given, rest = own_words(words, {"figure": None})
    flags, overrides = read(rest)
    figure = None if given["figure"] is None else file_to_write("figure", given["figure"], ".png")
    named, overrides = own_words(overrides, {"loss": None})
    if flags or named["loss"] is None:
        raise BadInput(f"{next(iter(flags), 'loss=')}: write dlthink check loss=NAME; see dlthink check --help")
    from dlthink.api import check
    from dlthink.checks.check import KINDS
    from dlthink.config.example_data import of_kind

    reports = check(named["loss"], *overrides, figure=figure)
    print(plain(repr(reports)))
    if reports.passed:
        kind, (first, *more) = reports[0].kind, of_kind(reports[0].kind)
        data = next((word for word in overrides if word.startswith("data=")), None)
        other = next(name for name in KINDS[kind].beside if name != named["loss"])
        words = f"loss={named['loss']},{other} seed=0,1,2 {data or f'data={first}'}"
        print(plain(f"next: dlthink train -m {words}, then dlthink compare"))
        if data is None and more:
            print(plain(f"other data with {kind}: data={', '.join(more)}; what each reads: dlthink train --help"))
    return 0 if reports.passed else 1
