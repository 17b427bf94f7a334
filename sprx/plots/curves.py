"""Curves over days since the referral."""

from itertools import cycle

from sprx.plots.style import COLOURS, CONTEXT, LINES, new_axes
from sprx.wording import count


def plot_curve(curve, ax=None, marks=()):
    """Share seen by each day as steps with a band, one line per level, numbers at risk below; `marks` are days to name."""
    ax = ax or new_axes(height=4.2)
    shown = list(curve.groupby("level", sort=False))
    for (level, rows), line, colour in zip(shown, cycle(LINES), cycle(COLOURS)):
        ax.step(rows["days"], 100 * rows["estimate"], where="post", color=colour, linestyle=line, linewidth=2,
                label=None if level == "all" else level)
        ax.fill_between(rows["days"].to_numpy(float), 100 * rows["conf_low"].to_numpy(float), 100 * rows["conf_high"].to_numpy(float),
                        step="post", color=colour, alpha=0.18, linewidth=0)
    for position, day in enumerate(marks):
        ax.axvline(day, color=CONTEXT, linestyle="--", linewidth=1)
        ax.annotate(f"{day} days", (day, 101), ha="right" if position == 0 and len(marks) > 1 else "left", va="bottom", color="#444444",
                    annotation_clip=False)
    ax.set(xlabel="days since referral", ylabel="seen (%)", ylim=(0, 100))
    ax.set_xlim(0, None)
    if len(shown) > 1:
        ax.legend(frameon=False)
    _numbers_at_risk(ax, shown)
    return ax


def _numbers_at_risk(ax, shown):
    """The numbers not yet seen, under the days of the axis."""
    if not shown:
        return
    last = max(rows["days"].max() for _, rows in shown)
    ticks = [t for t in ax.get_xticks() if 0 <= t <= last]
    ax.annotate("not yet seen, by the days above:", (0, -0.27), xycoords="axes fraction", ha="left", va="center", fontsize=10)
    for line, (level, rows) in enumerate(shown):
        y = -0.36 - 0.09 * line
        if level != "all":
            ax.annotate(level, (0, y), xycoords="axes fraction", xytext=(-12, 0), textcoords="offset points", ha="right", va="center", fontsize=10)
        for tick in ticks:
            later = rows[rows["days"] >= tick]
            if len(later):
                ax.annotate(count(later["n_at_risk"].iloc[0]), (tick, y), xycoords=("data", "axes fraction"), ha="center", va="center", fontsize=10)
