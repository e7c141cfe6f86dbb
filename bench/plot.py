"""Plots as SVG, by hand: bars, and lines over logarithmic axes. Colours are told apart in print and by everybody."""
import html
import math

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 80, 24, 64, 60
COLOURS = ("#0b6e4f", "#d1495b", "#2e4057", "#edae49", "#66a182", "#8d5a97", "#777777")
STYLE = ("<style>text{font-family:Helvetica,Arial,sans-serif;font-size:13px;fill:#222}.title{font-size:16px;"
         "font-weight:bold}.small{font-size:12px;fill:#555}.grid{stroke:#ddd}.axis{stroke:#444}</style>")


def number(value):
    """Short, for axes and labels."""
    if value >= 1e6 and value == int(value / 1e5) * 1e5:
        return f"{value / 1e6:g} M"
    if value >= 10000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(words)}</text>'


def document(title, height, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
                      f'aria-label="{html.escape(title)}">', STYLE,
                      f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
                      text(16, 28, title, kind="title"), *parts, "</svg>", ""])


def bars(title, unit, values):
    """Horizontal bars of {name: summary}, from zero, with whiskers from least to greatest."""
    row, left, top = 34, 190, 48
    height = top + row * len(values) + 16
    scale = (WIDTH - left - 110) / max(one["max"] for one in values.values())
    parts = []
    for index, (name, one) in enumerate(values.items()):
        y, width = top + row * index, one["median"] * scale
        colour = COLOURS[index % len(COLOURS)]
        middle = y + row / 2 - 3
        parts.append(text(left - 10, middle + 4, name, "end"))
        parts.append(f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" height="{row - 12}" fill="{colour}"/>')
        parts.append(f'<path d="M{left + one["min"] * scale:.1f} {middle:.1f}H{left + one["max"] * scale:.1f}" '
                     'stroke="#222" stroke-width="1.5"/>')
        parts.append(text(left + one["max"] * scale + 8, middle + 4, f"{number(one['median'])} {unit}"))
    return document(title, height, parts)


class Axis:
    """A logarithmic axis between two places."""

    def __init__(self, values, start, end, steps):
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        if self.high - self.low < 0.3:
            self.low, self.high = self.low - 0.15, self.high + 0.15
        self.start, self.end, self.steps = start, end, steps

    def place(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        """Round numbers: powers of ten times each of the steps."""
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in self.steps:
                if self.low - 1e-9 <= math.log10(step * 10.0**power) <= self.high + 1e-9:
                    yield step * 10.0**power


def lines(title, x_title, unit, series):
    """{name: [(x, summary)]} as lines over logarithmic axes, with whiskers from least to greatest."""
    lows = [one["min"] for points in series.values() for _, one in points]
    highs = [one["max"] for points in series.values() for _, one in points]
    xs = Axis([x for points in series.values() for x, _ in points], LEFT + 10, WIDTH - RIGHT - 20, (1,))
    ys = Axis([min(lows) * 0.8, max(highs) * 1.25], HEIGHT - BOTTOM, TOP, (1, 1.5, 2, 3, 5, 7) if max(highs) < 10 * min(lows) else (1, 2, 5))
    parts = []
    for tick in ys.ticks():
        y = ys.place(tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" class="grid"/>')
        parts.append(text(LEFT - 8, y + 4, number(tick), "end", "small"))
    for tick in xs.ticks():
        parts.append(text(xs.place(tick), HEIGHT - BOTTOM + 18, number(tick), "middle", "small"))
    parts.append(f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" class="axis"/>')
    parts.append(text(LEFT - 8, TOP - 8, unit, "end", "small"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_title, "middle", "small"))
    for index, (name, points) in enumerate(series.items()):
        parts += line(points, xs, ys, COLOURS[index % len(COLOURS)])
        parts.append(legend(index, name))
    return document(title, HEIGHT, parts)


def line(points, xs, ys, colour):
    places = [(xs.place(x), ys.place(one["median"])) for x, one in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    for (x, y), (_, one) in zip(places, points):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        yield (f'<path d="M{x:.1f} {ys.place(one["min"]):.1f}V{ys.place(one["max"]):.1f}" stroke="{colour}" '
               'stroke-width="1.5"/>')


def legend(index, name):
    x, colour = LEFT + 20 + 190 * index, COLOURS[index % len(COLOURS)]
    return f'<rect x="{x}" y="{TOP - 12}" width="14" height="4" fill="{colour}"/>' + text(x + 20, TOP - 6, name)
