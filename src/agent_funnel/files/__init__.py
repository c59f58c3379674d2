"""Files that people have: their bytes, their rows, their columns and their values.

`sources` finds out what a file is and how its text is encoded, `delimited` and `workbooks` make rows of it, `columns`
finds the columns that are needed, `dates` and `cells` read values, and `tables` puts these together. `formulas` keeps
texts from being run by a spreadsheet.
"""
