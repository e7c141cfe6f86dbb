"""Rounds become figures: median, least and greatest of each, and ratios. A ratio is taken within each round, whose
programs ran by turns under the same conditions; what is told is the median of these."""
import dataclasses
import statistics


@dataclasses.dataclass
class Target:
    """What is to be reached: a figure, or the ratio of two, each named by a variant and a figure of it. A ratio of costs
    that is to be large is `inverse`: that of the baseline to ours."""
    name: str
    ours: tuple
    baseline: tuple = None
    at_least: float = None
    at_most: float = None
    inverse: bool = False
    unit: str = ""


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "values": values}


def summarise(rounds):
    """{variant: {figure: summary}} of rounds that are {variant: {figure: value}}. A figure may lack in some rounds."""
    names = sorted({(variant, figure) for one in rounds for variant, figures in one.items() for figure in figures})
    summaries = {}
    for variant, figure in names:
        values = [one[variant][figure] for one in rounds if figure in one.get(variant, {})]
        summaries.setdefault(variant, {})[figure] = summary(values)
    return summaries


def look_up(one, place):
    variant, figure = place
    return one.get(variant, {}).get(figure)


def reach(target, rounds):
    """How a target was reached: None for `is_reached` where there is no figure."""
    values = []
    for one in rounds:
        ours, baseline = look_up(one, target.ours), look_up(one, target.baseline) if target.baseline else 1
        if ours is None or not baseline or (target.inverse and not ours):
            continue
        values.append(baseline / ours if target.inverse else ours / baseline)
    told = {"name": target.name, "unit": target.unit, "at_least": target.at_least, "at_most": target.at_most,
            "is_reached": None}
    if not values:
        return told
    told.update(summary(values))
    median = told["median"]
    told["is_reached"] = ((target.at_least is None or median >= target.at_least) and
                          (target.at_most is None or median <= target.at_most))
    return told


def per_line(lines, variant, figure, value="median"):
    """One round from a program's lines: variant and figure are made of a line's fields."""
    one = {}
    for line in lines:
        one.setdefault(variant.format(**line), {})[figure.format(**line)] = line[value]
    return one
