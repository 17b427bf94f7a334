"""What each key of scheme.yaml means, with an example: the words of the template and of docs/data_standard.md."""

DESIGNS = {"none": "no comparison, so changes are described and not called effects",
           "historical": "people from before the scheme", "matched": "people chosen to be like those referred",
           "concurrent": "people of the same time who were not referred", "randomised": "people drawn by lot",
           "cluster_randomised": "practices, teams or areas drawn by lot; name their column as cluster"}

DISCLOSURE = {"nhse_1_7_round5": "counts of 1 to 7 are hidden and larger ones rounded to the nearest 5 (used unless you choose)",
              "suppress_lt5": "counts below 5 are hidden", "suppress_lt10": "counts below 10 are hidden",
              "none": "nothing is hidden, and every page says so"}

CHOICES, RULES = ("; ".join(f"{key} = {words}" for key, words in known.items()) for known in (DESIGNS, DISCLOSURE))

# key of scheme.yaml -> (meaning, example); tables comes last and is explained by MAPPING
SCHEME_KEYS = {
    "scheme_id": ("Short name of the scheme: letters, digits and hyphens. It names the report folder.", "scheme_id: anytown"),
    "name": ("Name of the scheme as readers of the report should see it.", "name: Anytown social prescribing"),
    "area": ("Where the scheme works.", "area: Anytown and the villages around it"),
    "period": ("First and last day of the period to evaluate. Without it, all referrals count.",
               "period:\n  start: 2024-04-01\n  end: 2025-03-31"),
    "extract_date": ("The day the data were taken from the system. Without it, the last date found in the data.",
                     "extract_date: 2025-04-30"),
    "follow_up_months": ("When the follow-up score should be taken, in months after the start. Give months or days, not both.",
                         "follow_up_months: 3"),
    "follow_up_days": ("The same in days.", "follow_up_days: 91"),
    "primary_outcome": ("The measure that matters most to the scheme, as named in the outcomes table. It is reported first.",
                        "primary_outcome: swemwbs"),
    "covariates": ("Columns of people to take into account when groups are compared.", "covariates: [age, sex, imd_decile]"),
    "instruments": ("Measures of your own that sprx does not know, with the lowest and highest score and which way is better.",
                    "instruments:\n  our_scale: {name: Our confidence scale, minimum: 0, maximum: 10, higher_is_better: true, "
                    "domain: wellbeing}"),
    "missing_values": ("What your system writes where nothing was recorded, in addition to empty cells.",
                       'missing_values: ["-99", Not recorded]'),
    "comparison": (f"Whom the scheme is compared with. {CHOICES}. cluster = the column of people that says who belongs together; threshold = the smallest effect on the "
                   "primary outcome that matters, in its points (else that of the measure); threshold_ratio = the same for use of services, as a ratio below 1; "
                   "started_on = the day the scheme began, where use of services is recorded from before it.",
                   "comparison: {design: cluster_randomised, cluster: practice_code, threshold: 1.5, threshold_ratio: 0.9}"),
    "economics": ("For the cost questions: whose costs count, the year of prices (2024/25), pounds per quality-adjusted life year, months looked at. value_set = how EQ-5D answers "
                  "become utilities (uk_3l, uk_5l_2026, map_5l_to_3l_dsu, crosswalk_5l_to_3l_vanhout); discount_rate a year (0.035); set_up_years = how long what was set up lasts (5); "
                  "unit_costs = your own, in pounds of price_year.",
                  "economics: {perspective: health and social care, price_year: 2024/25, thresholds: [20000, 30000], horizon_months: 12, unit_costs: {gp: 41}}"),
    "disclosure": (f"How small numbers are hidden. {RULES}.", "disclosure: nhse_1_7_round5"),
    "episode_days": ("A second referral of the same person within so many days joins the first (90 unless you choose).", "episode_days: 90"),
    "rebase": ("Days on which the service is known to have changed, with the change: control charts begin anew there.",
               "rebase: {2024-10-01: second link worker}"),
    "subgroups": ("Columns of people for which you want to know whether the change differs, named before anybody looked at the results.",
                  "subgroups: [sex, age_band]"),
    "suitable_groups": ("Other definitions of the five suitable groups (see docs/methods.md), and for each, where known, how many residents could "
                        "have come (eligible, or eligible_share of the population table) and who says so.",
                        "suitable_groups:\n  frequent_attender: {gp_appointments_12m: 10, eligible: 5200, eligible_source: practice lists}"),
    "plan": ("What the service set out to give each person: contacts, days from first contact to closure, minutes per contact; and people "
             "per link worker at one time.", "plan: {contacts: 6, days: 90, minutes: 45, caseload: 35}"),
    "norms": ("For a measure: mean and sd of people in general, and its reliability (from 0 to 1) over the time to follow-up, with the source; "
              "and the cutoff beyond which people were referred, if there was one. They tell how much change is expected of people who come at a bad time.",
              "norms:\n  swemwbs: {mean: 23.6, sd: 3.9, reliability: 0.6, source: local survey 2023}"),
    "seed": ("Starting number for random draws, so that a second run gives the same figures.", "seed: 1"),
    "synthetic": ("true if the data are made up; the report then says so.", "synthetic: true"),
}

INSTRUMENT_KEYS = {
    "name": "name in words", "minimum": "lowest possible total (needed)", "maximum": "highest possible total (needed)",
    "higher_is_better": "true or false (needed)", "domain": "what it measures, for example wellbeing",
    "mid": "smallest change that matters to people, if a source is known", "mid_source": "that source",
    "items": "number of questions, if single answers are recorded and sprx should add them up",
    "item_minimum": "lowest answer to one question", "item_maximum": "highest answer to one question",
    "reverse_items": "numbers of the questions that are scored the other way round",
    "item_offset": "added to every answer before adding up, for example -1 where answers are coded from 1 and scored from 0"}

WIDE_KEYS = {"instrument": "which measure (needed)", "item": "number of the question, if it is not the total",
             "occasion": "baseline or follow_up", "months": "months since the person's start"}

# key of one table in scheme.yaml -> (meaning, table of the example, example)
MAPPING = {
    "file": ("The file, in the same folder as scheme.yaml.", "people", "file: clients.csv"),
    "sheet": ("The sheet of an Excel file that has several.", "people", "file: clients.xlsx\nsheet: Clients"),
    "columns": ("Export column: standard column. Columns that already have a standard name need no line.",
                "people", "file: clients.csv\ncolumns: {Client ref: person_id, Gender: sex}"),
    "values": ("For a standard column, export label: standard value. Only labels that sprx does not know by itself need a line.",
               "people", 'file: clients.csv\nvalues:\n  sex: {"1": male, "2": female}'),
    "also": ("Standard column: export column, where one export column feeds two standard columns.",
             "referrals", "file: cases.csv\ncolumns: {Case no: referral_id}\nalso: {person_id: Case no}"),
    "where": ("Export column: value (or a list of values). Only rows that have it belong to the table.",
              "referrals", "file: cases.csv\nwhere: {Programme: [Social prescribing, Link work]}"),
    "constant": ("Standard column: one value for every row, where the export does not say it.",
                 "outcomes", "file: scores.csv\nconstant: {instrument: swemwbs, occasion: baseline}"),
    "wide": ("Only for outcomes: scores that stand side by side, one column each, with the measure and the time each one is of.",
             "outcomes", "file: scores.csv\nwide:\n  Score at start: {instrument: swemwbs, occasion: baseline, months: 0}\n"
             "  Score at end: {instrument: swemwbs, occasion: follow_up, months: 3}"),
    "own_table": ("Only for provision: a file with the last word on what a service is, a row per service_id or per term of the directory's taxonomy. Columns: service_id or term; activity_type, "
                  "also_offers, needs, capacity_per_month, run_by_scheme. A directory in the Open Referral UK shape is named as it is saved: a JSON file, a folder of JSON pages or of CSV tables.",
                  "provision", "file: services.json\nown_table: our_view.csv"),
}
