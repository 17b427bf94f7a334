"""What the data hold at all."""

from sprx import schema


def standard_columns(scheme):
    """The tables about people with only the columns of the standard that the export gives, keys and empty columns left out."""
    held = {}
    for name, rows in scheme.tables.items():
        if name in schema.PERSONAL:
            rows = rows[~rows["derived"]] if "derived" in rows else rows
            columns = [c for c in scheme.given.get(name, ()) if c in rows and not c.endswith("_id") and rows[c].notna().any()]
            held[name] = rows[columns]
    return held


def what_data_hold(scheme):
    """The tables that have rows, and 'comparison' where there are comparison people."""
    return set(scheme.tables) | ({"comparison"} if scheme.tables["people"]["arm"].eq("comparison").any() else set())
