"""Tables 2 and 3, and the values, columns, notes and formats of every table."""
