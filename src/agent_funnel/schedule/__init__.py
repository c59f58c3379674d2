"""The schedule: which business date is due, making its run, and the state of tonight's run.

`calendar` has only date arithmetic, and `store` keeps the schedule's records in the database. `brakes` makes the
scheduled run, unless the settings want a person to look first. `clock` is the thread that wakes up and has the run
made, and `status` computes tonight's state.
"""
