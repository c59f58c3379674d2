"""The schedule: which business date is due, making its run, and the state of tonight's run.

`calendar` has only date arithmetic, and `store` keeps the schedule's records in the database. `terms` has the time,
zone, weekdays and catch-up on record, and the copies of the service; `copies` is their agreement. `voids` takes records
back. `brakes` makes the scheduled run, unless the settings want a person to look first. `scheduler` looks what is due,
`alarm` tells people that it cannot, and `clock` is the thread that makes it look. `status` computes tonight's state.
"""
