"""A bar plot as SVG text."""

from html import escape

WIDTH, LEFT, RIGHT, BAR, GAP, TITLE = 860, 300, 110, 20, 8, 44
OURS, OTHERS = "#1f6feb", "#8c959f"


def bars(panels):
    """The SVG of `panels`, one under the other: each is (title, [(label, value, text, is_ours)])."""
    out, y = [], 0
    for title, rows in panels:
        out.append(f'<text x="12" y="{y + 28}" font-weight="bold">{escape(title)}</text>')
        y += TITLE
        top = max(value for _, value, _, _ in rows)
        for label, value, text, is_ours in rows:
            width = max(1.0, (WIDTH - LEFT - RIGHT) * value / top)
            middle = y + BAR - 6
            out.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(label)}</text>')
            out.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" '
                       f'fill="{OURS if is_ours else OTHERS}"/>')
            out.append(f'<text x="{LEFT + width + 6:.1f}" y="{middle}">{escape(text)}</text>')
            y += BAR + GAP
    height = y + 12
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(out) + "\n</svg>\n")
