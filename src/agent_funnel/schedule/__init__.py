"""The schedule: which business date is due, who deals it, and how tonight stands.

`calendar` is date arithmetic alone, `store` keeps the schedule's records in the database, `brakes` makes the scheduled
run unless the settings want a person to look first, `clock` is the thread that asks, and `status` sums it up.
"""
