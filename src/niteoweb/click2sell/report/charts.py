"""Plots as SVG that stands in a page: no script, no style sheet, nothing from elsewhere.

Made by pygal, of which only the shapes are kept. Whoever cannot see a plot reads its title and
description, and the table below it.
"""

from collections.abc import Sequence
from lxml import etree
from pygal import Bar

import math


#: In the units of the plot: about a column of the page, or a telephone.
WIDTH, HEIGHT = 350, 170

#: Can be seen on white and on black alike, with a contrast of 4.5:1.
COLOUR = "#0f7ab8"
#: Of the lines behind the bars.
FAINT = "#8a929a"

#: Labels that fit below a plot, and steps beside it.
LABELS = 6
STEPS = 4


def bars(
    name: str, title: str, description: str, labels: Sequence[str], values: Sequence[int]
) -> str:
    """A plot with a bar for each value.

    :param name: for the ids in the plot; different from that of any other plot on the page.
    :param labels: of the bars, short; there is room for some of them only.
    :param values: no negative ones.
    :returns: SVG; whatever was passed in is escaped.
    """
    steps = ticks(max(values, default=0))
    plot = Bar(
        js=[],
        css=[],
        width=WIDTH,
        height=HEIGHT,
        margin=6,
        show_legend=False,
        show_minor_x_labels=False,
        truncate_label=-1,
        x_labels=list(labels),
        x_labels_major_every=math.ceil(len(labels) / LABELS) or 1,
        y_labels=steps,
        range=(0, steps[-1]),
    )
    plot.add("", list(values))
    shapes = next(
        group for group in plot.render_tree().iter("g") if group.get("class") == "plot"
    )
    _tell(shapes, labels, values)
    _dress(shapes)
    root = etree.Element(
        "svg",
        {
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "width": "100%",
        },
        nsmap={None: "http://www.w3.org/2000/svg"},
    )
    for tag, text in (("title", title), ("desc", description)):
        ending = {"desc": "description"}.get(tag, tag)
        etree.SubElement(root, tag, {"id": f"{name}-{ending}"}).text = text
    root.append(shapes)
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def ticks(most: int) -> list[int]:
    """Round numbers from 0 to the first that is not below a value, five at most."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step * STEPS >= most:
                return [step * count for count in range(max(1, math.ceil(most / step)) + 1)]
        power *= 10


def _tell(shapes: etree._Element, labels: Sequence[str], values: Sequence[int]) -> None:
    """Title each bar with its value, in place of the elements for pygal's script."""
    etree.strip_elements(shapes, "desc", "title")
    bars = [group for group in shapes.iter("g") if group.get("class") == "bar"]
    for group, label, value in zip(bars, labels, values, strict=True):
        if value:
            etree.SubElement(group, "title").text = f"{label}: {value}"
        else:
            group.getparent().remove(group)


def _dress(shapes: etree._Element) -> None:
    """Give the bars attributes in the place of pygal's style sheet."""
    for shape in list(shapes.iter("rect", "path", "text")):
        classes = shape.get("class", "").split()
        if "background" in classes:
            shape.getparent().remove(shape)
        elif shape.tag == "rect":
            shape.set("fill", COLOUR)
        elif shape.tag == "text":
            below = shape.getparent().getparent().get("class") == "axis x"
            shape.set("text-anchor", "middle" if below else "end")
            shape.set("font-size", "11")
            shape.set("fill", "currentColor")
        elif shape.getparent().getparent().get("class") == "axis x":
            shape.getparent().remove(shape)
        else:
            shape.set("stroke", FAINT)
            shape.set("stroke-width", "0.5")
    for shape in shapes.iter():
        shape.attrib.pop("class", None)
