"""The untidy workbook of the sample scheme castle: labels written in many ways, and planted dirt."""

import numpy as np
import pandas as pd

CREATED = pd.Timestamp("2026-01-05").to_pydatetime()

NOTICE = "SYNTHETIC: made by sprx, about nobody."

CASTLE_CLIENTS = {"person_id": "Client Ref", "birth_year": "Yr of birth", "sex": "Gender", "ethnicity": "Ethnic group",
                  "imd_decile": "Deprivation tenth", "lives_alone": "Lives alone?"}

CASTLE_REFERRALS = {"referral_id": "Ref no", "person_id": "Client Ref", "referral_date": "Ref date", "source": "Ref source",
                    "first_contact_date": "First seen", "status": "Outcome", "closed_date": "Date closed", "closure_reason": "Why closed"}

CASTLE_LABELS = {
    "sex": dict(female=["Female", "F", "female "], male=["Male", "M", "male"], other=["Non-binary"], not_known=["Not known"],
                not_stated=["Prefer not to say"]),
    "ethnicity": dict(A=["White British", "White - British"], B=["White Irish"], C=["Other White"], D=["White and Black Caribbean"],
                      G=["Other mixed"], H=["Indian"], J=["Pakistani"], K=["Bangladeshi"], L=["Other Asian"], M=["Caribbean"], N=["African"],
                      P=["Other Black"], R=["Chinese"], S=["Any other ethnic group"], Z=["Not stated"]) | {"99": ["Not known"]},
    "source": dict(gp=["GP Surgery", "GP", "gp surgery"], other_primary_care=["Pharmacy"], hospital=["Hospital"],
                   mental_health=["Talking Therapies"], social_care=["Adult Social Care"], council=["Council"], vcse=["Charity"],
                   self=["Self-referral", "Self"], job_centre=["Jobcentre"]),
    "status": dict(completed=["Completed"], closed=["Ended"], active=["Open"], waiting=["On waiting list"], referred=["New"],
                   declined_by_person=["Declined"], did_not_attend=["DNA"], rejected_by_service=["Rejected"])}


def soil_clients(rows, rng):
    """Impossible birth years, exact duplicates, rows without a reference, an empty row."""
    place = rng.permutation(len(rows))
    column = rows.columns.get_loc("birth_year")
    rows.iloc[place[:2], column], rows.iloc[place[2:4], column] = 1066, 2031
    twice, nobody = rows.iloc[place[4:14]], rows.iloc[place[14:16]].assign(person_id=None)
    return _mix(rows, [twice, nobody], rng), dict(birth_year_1066=2, birth_year_2031=2, duplicate_clients=len(twice),
                                                  blank_client_ref_in_clients=len(nobody), empty_row_in_clients=1)


def soil_referrals(rows, rng):
    """Impossible dates, exact duplicates, repeats of an episode, people who are not there, rows without a reference, an empty row."""
    open_long = rows["closed_date"].isna() | (
        pd.to_datetime(rows["closed_date"]) - pd.to_datetime(rows["referral_date"]) > pd.Timedelta(days=60))
    usable = ~rows.duplicated("person_id", keep=False) & open_long & rows["first_contact_date"].notna() & (rows["referral_date"] < pd.Timestamp("2025-08-01"))
    place = rng.permutation(rows.index[usable])
    early, future, unreal, again, strangers, blank, twice = np.split(place[:36], [5, 7, 10, 18, 22, 25])
    repeats, lost = rows.loc[again].copy(), rows.loc[strangers].assign(person_id=[f"P9{i:03}" for i in range(len(strangers))])
    repeats["referral_date"] = [d + pd.Timedelta(days=int(rng.integers(15, 56))) for d in repeats["referral_date"]]
    repeats = repeats.assign(status="New", first_contact_date=None, closed_date=None, closure_reason=None)
    extra = pd.concat([repeats, lost, rows.loc[blank].assign(person_id=None)])
    extra["referral_id"] = [f"R9{i:04}" for i in range(len(extra))]
    copies = rows.loc[twice]
    rows.loc[early, "first_contact_date"] = [d - pd.Timedelta(days=int(rng.integers(10, 41))) for d in rows.loc[early, "referral_date"]]
    rows.loc[future, "first_contact_date"] = pd.Timestamp("2035-03-14")
    rows.loc[unreal, "referral_date"] = "31/02/2025"
    return _mix(rows, [extra, copies], rng), dict(
        first_seen_before_referral=len(early), date_in_2035=len(future), date_not_in_calendar=len(unreal), repeat_referrals=len(again),
        referral_of_unknown_client=len(strangers), blank_client_ref_in_referrals=len(blank), duplicate_referrals=len(copies),
        empty_row_in_referrals=1)


def _mix(rows, more, rng):
    """All rows in a new order, with an empty one before the last."""
    rows = pd.concat([rows, *more], ignore_index=True)
    rows = rows.iloc[rng.permutation(len(rows))]
    return rows.reindex([*rows.index[:-1], -1, rows.index[-1]])


def write_workbook(path, sheets, rng):
    """Sheets to Excel; each date at random a real date, 31/03/2025 or 2025-03-31."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        book.set_properties({"title": NOTICE, "created": CREATED})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(rows.columns))
            for number, cells in enumerate(rows.itertuples(index=False), start=1):
                for place, cell in enumerate(cells):
                    if isinstance(cell, pd.Timestamp) and not pd.isna(cell):
                        cell = [cell.to_pydatetime(), f"{cell:%d/%m/%Y}", f"{cell:%Y-%m-%d}"][rng.integers(3)]
                    if not pd.isna(cell):
                        sheet.write(number, place, cell)
