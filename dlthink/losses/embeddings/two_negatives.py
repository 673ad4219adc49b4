"""The third step towards a triplet: the negative is to be far from both photos of the pair."""

from dlthink.losses.embeddings.no_margin import NoMargin


class TwoNegatives(NoMargin):
    """Mean over all triplets of d(a,p) - d(a,n) - d(p,n), squared distances of unit vectors; in closed form.

    Elicits a ranking: the same person nearer than others, in the mean.

    Over all triplets a and p change places, so the sum of d(p,n) is the sum of d(a,n): this is the mean of
    d(a,p) - 2 d(a,n), the push of `no_margin` doubled. Source: Kording & Ungar, Deep Learning Thinking 1, discussion 3.
    """

    push = 2.0
