"""Data quality: what came in, what could be used, how complete it is."""

from sprx.errors import require
from sprx.intervals import wilson
from sprx.results import result_table


def rows_accounted(accounts):
    """Rows read, used and set aside, per table.

    Parameters
    ----------
    accounts : DataFrame, one row per table
        As `Scheme.accounts()` gives it: table, rows_in, rows_used, rows_set_aside (those not selected included), rows_not_selected.

    Returns
    -------
    DataFrame
        Result layout; measures rows_read, rows_used, rows_set_aside and, of these, rows_not_selected (by `where`) and
        rows_joined (to another row of the same referral), unit rows. n = rows read.
    """
    require(accounts, "accounts", ["table", "rows_in", "rows_used", "rows_set_aside"])
    return result_table([
        dict(measure=measure, group="table", level=row.table, n=row.rows_in, n_missing=0, estimate=getattr(row, column), unit="rows",
             numerator=getattr(row, column), denominator=row.rows_in, method="count")
        for row in accounts.itertuples() for measure, column in
        (("rows_read", "rows_in"), ("rows_used", "rows_used"), ("rows_set_aside", "rows_set_aside"), ("rows_not_selected", "rows_not_selected"),
         ("rows_joined", "rows_joined"))
        if column in accounts and (getattr(row, column) or column in ("rows_in", "rows_used", "rows_set_aside"))])


def problems_found(issues):
    """How many rows had each kind of problem, and what was done.

    Parameters
    ----------
    issues : DataFrame, one row per issue
        As `Scheme.issues`: table, row, column, problem, action. Notes about whole tables (no row) are left out.

    Returns
    -------
    DataFrame
        Result layout; measure problems, one row per table, column, problem and action (in `level`), unit rows.
    """
    require(issues, "issues", ["table", "row", "column", "problem", "action"])
    about_rows = issues[issues["row"].notna()]
    action = about_rows["action"].str.replace(r"(joined to referral).*", r"\1 of the episode", regex=True)
    counts = about_rows.assign(action=action).groupby(["table", "column", "problem", "action"], sort=True).size()
    return result_table([
        dict(measure="problems", group="table, column, problem, action", level=" | ".join(key), n=count, n_missing=0, estimate=count,
             unit="rows", numerator=count, denominator=count, method="count") for key, count in counts.items()])


def completeness(tables, conf_level=0.95):
    """Share of rows with a value, per column of each table.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Standard tables; only the columns given are counted.

    Returns
    -------
    DataFrame
        Result layout; measure completeness, group = table, level = column, unit proportion. n = rows.
    """
    rows = []
    for name, table in tables.items():
        for column in table.columns:
            filled, total = int(table[column].notna().sum()), len(table)
            low, high = wilson(filled, total, conf_level)
            rows.append(dict(measure="completeness", group=name, level=column, n=total, n_missing=0,
                             estimate=filled / total if total else float("nan"), conf_low=low, conf_high=high, conf_level=conf_level,
                             unit="proportion", numerator=filled, denominator=total, method="Wilson score"))
    return result_table(rows)


def completeness_by_month(referrals, columns, conf_level=0.95):
    """Share of referrals with a value in all the named columns, by month of referral.

    Parameters
    ----------
    referrals : DataFrame, one row per referral
        Needs referral_date and the named columns. Undated referrals are the level 'missing'.

    Returns
    -------
    DataFrame
        Result layout; measure complete_referrals, group month, unit proportion.
    """
    require(referrals, "referrals", ["referral_date", *columns])
    filled = referrals[list(columns)].notna().mean(axis=1) if columns else referrals["referral_date"].notna().astype(float)
    month = referrals["referral_date"].dt.strftime("%Y-%m").fillna("missing")
    rows = []
    for level, part in filled.groupby(month, sort=True):
        complete = int(part.eq(1).sum())
        low, high = wilson(complete, len(part), conf_level)
        rows.append(dict(measure="complete_referrals", group="month", level=level, n=len(part), n_missing=0, estimate=complete / len(part),
                         conf_low=low, conf_high=high, conf_level=conf_level, unit="proportion", numerator=complete,
                         denominator=len(part), method="Wilson score"))
    return result_table(rows)
